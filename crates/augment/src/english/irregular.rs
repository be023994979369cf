//! Words whose forms no rule gives.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

/// Verbs with their past and participle, where a rule would give others.
const VERBS: &str = "\
arise arose arisen
awake awoke awoken
bear bore borne
beat beat beaten
become became become
befall befell befallen
begin began begun
behold beheld beheld
bend bent bent
beset beset beset
bet bet bet
bind bound bound
bite bit bitten
bleed bled bled
blow blew blown
break broke broken
breed bred bred
bring brought brought
broadcast broadcast broadcast
build built built
burst burst burst
buy bought bought
cast cast cast
catch caught caught
choose chose chosen
cling clung clung
come came come
cost cost cost
creep crept crept
cut cut cut
deal dealt dealt
dig dug dug
do did done
draw drew drawn
drink drank drunk
drive drove driven
eat ate eaten
fall fell fallen
feed fed fed
feel felt felt
fight fought fought
find found found
flee fled fled
fling flung flung
fly flew flown
forbid forbade forbidden
forecast forecast forecast
foresee foresaw foreseen
foretell foretold foretold
forget forgot forgotten
forgive forgave forgiven
freeze froze frozen
get got got
give gave given
go went gone
grind ground ground
grow grew grown
hang hung hung
have had had
hear heard heard
hide hid hidden
hit hit hit
hold held held
hurt hurt hurt
inlay inlaid inlaid
input input input
interweave interwove interwoven
keep kept kept
kneel knelt knelt
know knew known
lay laid laid
lead led led
leave left left
lend lent lent
let let let
lie lay lain
light lit lit
lose lost lost
make made made
mean meant meant
meet met met
mishear misheard misheard
mislay mislaid mislaid
mislead misled misled
misread misread misread
misspell misspelt misspelt
mistake mistook mistaken
misunderstand misunderstood misunderstood
mow mowed mown
offset offset offset
outdo outdid outdone
outgrow outgrew outgrown
output output output
outrun outran outrun
outsell outsold outsold
overcome overcame overcome
overdo overdid overdone
overdraw overdrew overdrawn
overfeed overfed overfed
overhear overheard overheard
overlay overlaid overlaid
overpay overpaid overpaid
override overrode overridden
oversee oversaw overseen
oversleep overslept overslept
overtake overtook overtaken
overthrow overthrew overthrown
overwrite overwrote overwritten
partake partook partaken
pay paid paid
prepay prepaid prepaid
presell presold presold
proofread proofread proofread
put put put
quit quit quit
read read read
rebuild rebuilt rebuilt
redo redid redone
remake remade remade
rend rent rent
repay repaid repaid
reread reread reread
rerun reran rerun
resell resold resold
resend resent resent
reset reset reset
retake retook retaken
rethink rethought rethought
rewind rewound rewound
rewrite rewrote rewritten
rid rid rid
ride rode ridden
ring rang rung
rise rose risen
run ran run
say said said
see saw seen
seek sought sought
sell sold sold
send sent sent
set set set
sew sewed sewn
shake shook shaken
shed shed shed
shine shone shone
shoot shot shot
show showed shown
shrink shrank shrunk
shut shut shut
sing sang sung
sink sank sunk
sit sat sat
slay slew slain
sleep slept slept
slide slid slid
sling slung slung
slit slit slit
sow sowed sown
speak spoke spoken
speed sped sped
spellbind spellbound spellbound
spend spent spent
spin spun spun
spit spat spat
split split split
spread spread spread
spring sprang sprung
stand stood stood
steal stole stolen
stick stuck stuck
sting stung stung
stink stank stunk
stride strode stridden
strike struck struck
string strung strung
strive strove striven
swear swore sworn
sweep swept swept
swell swelled swollen
swim swam swum
swing swung swung
take took taken
teach taught taught
tear tore torn
tell told told
think thought thought
throw threw thrown
thrust thrust thrust
tread trod trodden
typeset typeset typeset
unbind unbound unbound
undergo underwent undergone
undersell undersold undersold
understand understood understood
undertake undertook undertaken
undo undid undone
unwind unwound unwound
uphold upheld upheld
upset upset upset
wake woke woken
waylay waylaid waylaid
wear wore worn
weave wove woven
weep wept wept
win won won
wind wound wound
withdraw withdrew withdrawn
withhold withheld withheld
withstand withstood withstood
wring wrung wrung
write wrote written";

/// Nouns with their plural, where a rule would give another.
const NOUNS: &str = "\
aircraft aircraft
appendix appendices
bacterium bacteria
calf calves
child children
corpus corpora
crisis crises
criterion criteria
curriculum curricula
datum data
deer deer
echo echoes
elf elves
fish fish
foot feet
fungus fungi
goose geese
half halves
hero heroes
hoof hooves
index indexes
information information
knife knives
leaf leaves
life lives
loaf loaves
louse lice
matrix matrices
medium media
mouse mice
news news
nucleus nuclei
ox oxen
person people
phenomenon phenomena
potato potatoes
quiz quizzes
scarf scarves
self selves
series series
sheep sheep
shelf shelves
species species
spectrum spectra
stimulus stimuli
stratum strata
thief thieves
tomato tomatoes
tooth teeth
torpedo torpedoes
vertebra vertebrae
vertex vertices
veto vetoes
wife wives
wolf wolves";

/// Verbs of several syllables whose last letter is doubled, as they are stressed at the end.
const DOUBLED: &str = "\
abet abhor abut acquit admit allot annul anagram backlog beget befit begin bedim compel commit \
concur confer control corral debug defer deter dispel distil emit enrol enthral equip excel expel \
extol forbid forget format fulfil handicap hiccup impel incur infer input instil intermit kidnap \
log nonplus occur offset omit outbid outfit output outrun outwit patrol permit prefer preset \
program propel recap recur refer refit regret rebut rerun reset remit repel rebel submit transfer \
transmit transship typeset undercut unplug unwrap unzip upset waterlog worship zigzag";

/// The past and the participle of a verb.
pub(crate) fn verb(base: &str) -> Option<(&'static str, &'static str)> {
    static VERB_FORMS: LazyLock<FxHashMap<&str, (&str, &str)>> = LazyLock::new(|| {
        let line = |line: &'static str| {
            let mut words = line.split(' ');
            Some((words.next()?, (words.next()?, words.next()?)))
        };
        VERBS.lines().filter_map(line).collect()
    });
    VERB_FORMS.get(base).copied()
}

/// The verbs that have this form as their past or participle.
pub(crate) fn verbs_of(form: &str) -> &'static [&'static str] {
    static BASES: LazyLock<FxHashMap<&str, Vec<&str>>> = LazyLock::new(|| {
        let mut bases: FxHashMap<&str, Vec<&str>> = FxHashMap::default();
        for line in VERBS.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            for form in &words[1..] {
                let bases = bases.entry(form).or_default();
                if !bases.contains(&words[0]) {
                    bases.push(words[0]);
                }
            }
        }
        bases
    });
    BASES.get(form).map_or(&[], Vec::as_slice)
}

/// The plural of a noun.
pub(crate) fn plural(noun: &str) -> Option<&'static str> {
    static PLURALS: LazyLock<FxHashMap<&str, &str>> = LazyLock::new(|| {
        NOUNS
            .lines()
            .filter_map(|line| line.split_once(' '))
            .collect()
    });
    PLURALS.get(noun).copied()
}

/// The noun that has this plural.
pub(crate) fn singular(plural: &str) -> Option<&'static str> {
    static SINGULARS: LazyLock<FxHashMap<&str, &str>> = LazyLock::new(|| {
        let pairs = NOUNS.lines().filter_map(|line| line.split_once(' '));
        pairs.map(|(one, many)| (many, one)).collect()
    });
    SINGULARS.get(plural).copied()
}

/// Whether the last letter of a verb of several syllables is doubled.
pub(crate) fn is_doubled(verb: &str) -> bool {
    static LISTED: LazyLock<rustc_hash::FxHashSet<&str>> =
        LazyLock::new(|| DOUBLED.split_whitespace().collect());
    LISTED.contains(verb)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_lead_to_their_words_and_back() {
        assert_eq!(verb("withdraw"), Some(("withdrew", "withdrawn")));
        assert_eq!(verbs_of("lay"), ["lie"]);
        assert_eq!(verbs_of("walked"), [""; 0]);
        assert_eq!(plural("child"), Some("children"));
        assert_eq!(singular("children"), Some("child"));
        assert!(is_doubled("transfer") && !is_doubled("visit"));
    }

    #[test]
    fn each_line_is_whole() {
        assert!(VERBS.lines().all(|line| line.split(' ').count() == 3));
        assert!(NOUNS.lines().all(|line| line.split(' ').count() == 2));
    }
}
