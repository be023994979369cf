//! All pairs of sets that are alike: an exact join by prefix filtering.
//!
//! Two sets of a Jaccard similarity of at least t share an element among the |x| − ⌈t·|x|⌉ + 1
//! rarest of each (Chaudhuri, Ganti, Kaushik, "A primitive operator for similarity joins in data
//! cleaning", 2006; Bayardo, Ma, Srikant, "Scaling up all pairs similarity search", 2007). Of the
//! smaller set of a pair |y| − ⌈2t/(1+t)·|y|⌉ + 1 are enough (Xiao et al., "Efficient similarity
//! joins for near-duplicate detection", 2011). Nearly all runs of five words stand in one text
//! alone, and such an element finds nothing, so few pairs are left to compare, and nothing has to
//! be estimated: MinHash would find a part of what this finds, for more work.
//!
//! A pair that is compared is first held against bitmaps of both sets, whose difference is at most
//! that of the sets (Sandes, Teodoro, Melo, "Bitmap filter: speeding up exact set similarity joins
//! with bitwise operations", 2020).

use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use rayon::prelude::*;

/// A count beyond which an element is frequent, however frequent.
const FREQUENT: u8 = 200;
/// Counters at most: 128 MiB.
const MOST_COUNTERS: usize = 1 << 27;
/// Entries of the index behind one entry of its directory.
const ENTRIES_PER_BUCKET: usize = 8;
/// Sets that are worked on by one thread at a time.
const CHUNK: usize = 1_024;

/// Sets of hashes. Two elements that differ share a hash once in four billion.
#[derive(Debug, Default)]
pub(crate) struct Sets {
    /// The elements of many sets, one after the other, so that memory grows by what is added.
    chunks: Vec<Box<[u32]>>,
    places: Vec<SetPlace>,
}

#[derive(Debug, Clone, Copy)]
struct SetPlace {
    chunk: u32,
    start: u32,
    len: u32,
}

impl Sets {
    /// Adds sets, each in ascending order without repetition.
    pub fn extend(&mut self, sets: &[&[u32]]) {
        let elements = sets.iter().map(|set| set.len()).sum();
        let mut chunk = Vec::with_capacity(elements);
        for set in sets {
            self.places.push(SetPlace {
                chunk: self.chunks.len() as u32,
                start: chunk.len() as u32,
                len: set.len() as u32,
            });
            chunk.extend_from_slice(set);
        }
        self.chunks.push(chunk.into_boxed_slice());
    }

    /// Returns the set of this number.
    pub fn get(&self, number: u32) -> &[u32] {
        let place = self.places[number as usize];
        let start = place.start as usize;
        &self.chunks[place.chunk as usize][start..start + place.len as usize]
    }

    /// Returns how many sets there are.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    fn size(&self, number: u32) -> usize {
        self.places[number as usize].len as usize
    }
}

/// Two sets that are alike, the smaller number first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pair {
    pub first: u32,
    pub second: u32,
    pub similarity: f32,
}

/// What a join found.
#[derive(Debug, Default)]
pub(crate) struct Joined {
    /// In ascending order.
    pub pairs: Vec<Pair>,
    /// Sets that have more partners than were asked for.
    pub cut: usize,
}

/// Finds all pairs of the sets in `of`, no two of which are equal, whose Jaccard similarity is at
/// least `threshold`; for each set no more than `partners` among the smaller ones, the nearest in
/// size first.
pub(crate) fn join(sets: &Sets, of: &[u32], threshold: f64, partners: usize) -> Joined {
    let join = Join::new(sets, of, threshold, partners);
    let index = join.index();
    let cut = AtomicUsize::new(0);
    let found: Vec<Vec<Pair>> = (0..join.order.len().div_ceil(CHUNK))
        .into_par_iter()
        .map_init(Probe::default, |probe, chunk| {
            let end = join.order.len().min((chunk + 1) * CHUNK);
            for rank in chunk * CHUNK..end {
                let is_cut = join.probe(&index, rank as u32, probe);
                cut.fetch_add(usize::from(is_cut), Ordering::Relaxed);
            }
            std::mem::take(&mut probe.pairs)
        })
        .collect();
    let mut pairs = found.concat();
    pairs.par_sort_unstable_by_key(|pair| (pair.first, pair.second));
    Joined {
        pairs,
        cut: cut.into_inner(),
    }
}

struct Join<'a> {
    sets: &'a Sets,
    threshold: f64,
    partners: usize,
    /// The sets by size; the rank of a set is its place here.
    order: Vec<u32>,
    counts: Vec<AtomicU8>,
    /// By rank: what most comparisons end at.
    facts: Vec<Facts>,
}

/// What tells most sets apart before their elements are looked at.
#[derive(Debug, Clone, Copy)]
struct Facts {
    bitmap: [u64; 2],
    size: u32,
}

/// Entries of element and rank, in order.
struct Index {
    entries: Vec<u64>,
    /// Where the entries begin whose elements begin with these bits.
    directory: Vec<u32>,
    shift: u32,
}

#[derive(Default)]
struct Probe {
    by_rarity: Vec<u64>,
    candidates: Vec<u32>,
    /// By rank: the last set that met it.
    met_by: Vec<u32>,
    pairs: Vec<Pair>,
}

impl<'a> Join<'a> {
    fn new(sets: &'a Sets, of: &[u32], threshold: f64, partners: usize) -> Self {
        let mut order: Vec<u32> = (of.iter().copied())
            .filter(|&number| sets.size(number) > 0)
            .collect();
        order.par_sort_unstable_by_key(|&number| (sets.size(number), number));
        let elements: usize = order.iter().map(|&number| sets.size(number)).sum();
        let counters = elements.next_power_of_two().clamp(1 << 10, MOST_COUNTERS);
        let counts: Vec<AtomicU8> = (0..counters).map(|_| AtomicU8::new(0)).collect();
        let mask = counters - 1;
        order.par_chunks(CHUNK).for_each(|chunk| {
            for &element in chunk.iter().flat_map(|&number| sets.get(number)) {
                let count = &counts[element as usize & mask];
                // Threads may overshoot by as many as they are, and no counter overflows.
                if count.load(Ordering::Relaxed) < FREQUENT {
                    count.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        let facts = (order.par_iter())
            .map(|&number| Facts {
                bitmap: bitmap(sets.get(number)),
                size: sets.size(number) as u32,
            })
            .collect();
        Self {
            sets,
            threshold,
            partners,
            order,
            counts,
            facts,
        }
    }

    /// How many sets have an element, or one that shares its counter.
    fn count(&self, element: u32) -> u8 {
        let count = &self.counts[element as usize & (self.counts.len() - 1)];
        count.load(Ordering::Relaxed).min(FREQUENT)
    }

    /// The `prefix` rarest elements of a set that stand in other sets too, in `by_rarity`.
    fn rarest<'b>(
        &self,
        set: &[u32],
        prefix: usize,
        by_rarity: &'b mut Vec<u64>,
    ) -> impl Iterator<Item = u32> + 'b {
        by_rarity.clear();
        let keyed = |&element: &u32| u64::from(self.count(element)) << 32 | u64::from(element);
        by_rarity.extend(set.iter().map(keyed));
        if prefix < by_rarity.len() {
            by_rarity.select_nth_unstable(prefix);
            by_rarity.truncate(prefix);
        }
        let shared = by_rarity.iter().filter(|&&key| key >> 32 > 1);
        shared.map(|&key| key as u32)
    }

    /// The least overlap of two sets of these sizes together.
    fn overlap(&self, together: usize) -> usize {
        let share = self.threshold / (1.0 + self.threshold);
        least(share * together as f64)
    }

    fn index(&self) -> Index {
        let ranks: Vec<u32> = (0..self.order.len() as u32).collect();
        let mut entries: Vec<u64> = ranks
            .par_chunks(CHUNK)
            .flat_map_iter(|ranks| {
                let mut by_rarity = Vec::new();
                let mut entries = Vec::new();
                for &rank in ranks {
                    let set = self.sets.get(self.order[rank as usize]);
                    let prefix = set.len() - self.overlap(2 * set.len()).min(set.len()) + 1;
                    let rarest = self.rarest(set, prefix, &mut by_rarity);
                    entries.extend(rarest.map(|element| entry(element, rank)));
                }
                entries
            })
            .collect();
        entries.par_sort_unstable();
        let bits = (entries.len() / ENTRIES_PER_BUCKET).max(1).ilog2().min(26);
        let shift = 64 - bits;
        let mut directory = Vec::with_capacity((1 << bits) + 1);
        let mut at = 0;
        for bucket in 0..1_u64 << bits {
            while at < entries.len() && entries[at].checked_shr(shift).unwrap_or(0) < bucket {
                at += 1;
            }
            directory.push(at as u32);
        }
        directory.push(entries.len() as u32);
        Index {
            entries,
            directory,
            shift,
        }
    }

    /// Finds the partners of a set among those of lower rank. Returns whether there are more.
    fn probe(&self, index: &Index, rank: u32, probe: &mut Probe) -> bool {
        let number = self.order[rank as usize];
        let set = self.sets.get(number);
        let smallest = least(self.threshold * set.len() as f64);
        let lowest = self
            .order
            .partition_point(|&other| self.sets.size(other) < smallest) as u32;
        let prefix = set.len() - smallest.min(set.len()) + 1;
        probe.candidates.clear();
        probe.met_by.resize(self.order.len(), u32::MAX);
        for element in self.rarest(set, prefix, &mut probe.by_rarity) {
            for &e in index.entries_between(entry(element, lowest), entry(element, rank)) {
                let met_by = &mut probe.met_by[e as u32 as usize];
                if *met_by != rank {
                    *met_by = rank;
                    if self.may_be_alike(rank, e as u32) {
                        probe.candidates.push(e as u32);
                    }
                }
            }
        }
        probe.candidates.sort_unstable();
        let mut partners = 0;
        for &candidate in probe.candidates.iter().rev() {
            let Some(similarity) = self.compare(rank, candidate) else {
                continue;
            };
            if partners == self.partners {
                return true;
            }
            partners += 1;
            let other = self.order[candidate as usize];
            probe.pairs.push(Pair {
                first: number.min(other),
                second: number.max(other),
                similarity: similarity as f32,
            });
        }
        false
    }

    /// Whether the bitmaps of two sets, by their ranks, leave it open that they are alike.
    fn may_be_alike(&self, rank: u32, other: u32) -> bool {
        let [one, two] = [rank, other].map(|rank| self.facts[rank as usize]);
        let [low, high] = [0, 1].map(|half| (one.bitmap[half] ^ two.bitmap[half]).count_ones());
        let together = f64::from(one.size + two.size);
        // What only one of them has is at least as much as the bits that only one of them has.
        let overlap = (together - f64::from(low + high)) / 2.0;
        overlap >= self.threshold / (1.0 + self.threshold) * together - 1e-9
    }

    /// The similarity of two sets by their ranks, if it is enough.
    fn compare(&self, rank: u32, other: u32) -> Option<f64> {
        let [mut x, mut y] = [rank, other].map(|rank| self.sets.get(self.order[rank as usize]));
        let together = x.len() + y.len();
        let needed = self.overlap(together);
        let mut overlap = 0;
        while let ([a, rest_of_x @ ..], [b, rest_of_y @ ..]) = (x, y) {
            if overlap + x.len().min(y.len()) < needed {
                return None;
            }
            overlap += usize::from(a == b);
            if a <= b {
                x = rest_of_x;
            }
            if b <= a {
                y = rest_of_y;
            }
        }
        let similarity = overlap as f64 / (together - overlap) as f64;
        (similarity >= self.threshold).then_some(similarity)
    }
}

impl Index {
    /// The entries from `low` on and before `high`, which are of one element.
    fn entries_between(&self, low: u64, high: u64) -> &[u64] {
        let bucket = low.checked_shr(self.shift).unwrap_or(0) as usize;
        let (start, end) = (self.directory[bucket], self.directory[bucket + 1]);
        let entries = &self.entries[start as usize..end as usize];
        let start = entries.partition_point(|&entry| entry < low);
        let end = start + entries[start..].partition_point(|&entry| entry < high);
        &entries[start..end]
    }
}

fn entry(element: u32, rank: u32) -> u64 {
    u64::from(element) << 32 | u64::from(rank)
}

/// The least whole number that is not below a product, which rounding may have raised a little.
fn least(product: f64) -> usize {
    (product - 1e-9).ceil() as usize
}

fn bitmap(set: &[u32]) -> [u64; 2] {
    let mut bits = [0; 2];
    for element in set {
        bits[(element >> 31) as usize] |= 1 << (element >> 25 & 63);
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;

    use rand::Rng;

    fn jaccard(x: &[u32], y: &[u32]) -> f64 {
        let overlap = x.iter().filter(|element| y.contains(element)).count();
        overlap as f64 / (x.len() + y.len() - overlap) as f64
    }

    fn sets_of(all: &[Vec<u32>]) -> Sets {
        let mut sets = Sets::default();
        // In several chunks.
        for some in all.chunks(7) {
            sets.extend(&some.iter().map(Vec::as_slice).collect::<Vec<_>>());
        }
        sets
    }

    /// Sets over few and over many elements, a part of them changed copies of earlier ones.
    fn drawn(seed: u64) -> Vec<Vec<u32>> {
        let mut random = pairmill_schema::draw::seeded(seed, 0);
        let mut all: Vec<Vec<u32>> = Vec::new();
        for _ in 0..400 {
            let mut set = match all.len() {
                copies @ 1.. if random.random_bool(0.5) => {
                    all[random.random_range(0..copies)].clone()
                }
                _ => Vec::new(),
            };
            let spread = if random.random_bool(0.5) {
                50
            } else {
                u32::MAX
            };
            for _ in 0..random.random_range(0..6) {
                set.push(random.random_range(0..spread));
                if random.random_bool(0.5) {
                    set.remove(random.random_range(0..set.len()));
                }
            }
            set.sort_unstable();
            set.dedup();
            all.push(set);
        }
        all.sort();
        all.dedup();
        all
    }

    #[test]
    fn every_pair_that_is_alike_enough_is_found_and_no_other() {
        for seed in 0..6 {
            let all = drawn(seed);
            let sets = sets_of(&all);
            let of: Vec<u32> = (0..all.len() as u32).collect();
            for threshold in [0.3, 0.5, 0.8, 0.9, 1.0] {
                let found = join(&sets, &of, threshold, usize::MAX).pairs;
                let mut expected = Vec::new();
                for (first, x) in all.iter().enumerate() {
                    for (second, y) in all.iter().enumerate().skip(first + 1) {
                        let similarity = jaccard(x, y);
                        if similarity >= threshold {
                            expected.push((first as u32, second as u32, similarity as f32));
                        }
                    }
                }
                let found: Vec<_> = found
                    .iter()
                    .map(|pair| (pair.first, pair.second, pair.similarity))
                    .collect();
                assert_eq!(found, expected, "seed {seed}, threshold {threshold}");
            }
        }
    }

    #[test]
    fn partners_are_no_more_than_asked_for_and_the_rest_is_told() {
        // Each set lacks another one of a hundred elements.
        let all: Vec<Vec<u32>> = (0..20)
            .map(|left_out| (0..100).filter(|&element| element != left_out).collect())
            .collect();
        let of: Vec<u32> = (0..20).collect();
        let joined = join(&sets_of(&all), &of, 0.8, 3);
        assert_eq!(joined.pairs.len(), 1 + 2 + 17 * 3);
        assert_eq!(joined.cut, 16);
    }

    #[test]
    fn nothing_is_like_nothing() {
        let sets = sets_of(&[vec![], vec![1]]);
        assert_eq!(join(&sets, &[0, 1], 0.5, 9).pairs, []);
        assert_eq!(join(&Sets::default(), &[], 0.5, 9).pairs, []);
    }
}
