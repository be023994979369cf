use std::collections::VecDeque;

/// Steps that the curvature is remembered of, as in SciPy.
const MEMORY: usize = 10;
/// Sufficient decrease and curvature of the Wolfe conditions.
const DECREASE: f64 = 1e-4;
const CURVATURE: f64 = 0.9;
/// Evaluations of one line search; a smooth function needs two or three.
const TRIALS: usize = 40;

/// Where a search for a minimum ended.
pub(crate) struct Minimum {
    pub point: Vec<f64>,
    /// Whether no component of the gradient is larger than the tolerance.
    pub converged: bool,
}

/// Minimises a smooth function by L-BFGS with a bisection to a step that meets the weak Wolfe
/// conditions. `function` gives value and gradient.
///
/// Nocedal and Wright, Numerical Optimization, 2006, algorithm 7.5; Lewis and Overton, Nonsmooth
/// optimization via quasi-Newton methods, 2013, algorithm 2.6.
pub(crate) fn minimise(
    mut point: Vec<f64>,
    tolerance: f64,
    iterations: usize,
    function: impl Fn(&[f64]) -> (f64, Vec<f64>),
) -> Minimum {
    let (mut value, mut gradient) = function(&point);
    let mut memory = VecDeque::with_capacity(MEMORY);
    for _ in 0..iterations {
        if is_flat(&gradient, tolerance) {
            break;
        }
        let direction = direction(&gradient, &memory);
        let first = match memory.is_empty() {
            true => 1.0 / dot(&gradient, &gradient).sqrt(),
            false => 1.0,
        };
        let slope = dot(&gradient, &direction);
        let Some(next) = search(&point, value, slope, &direction, first, &function) else {
            break;
        };
        if memory.len() == MEMORY {
            memory.pop_front();
        }
        memory.push_back(Step::new(
            difference(&next.point, &point),
            difference(&next.gradient, &gradient),
        ));
        (point, value, gradient) = (next.point, next.value, next.gradient);
    }
    Minimum {
        converged: is_flat(&gradient, tolerance),
        point,
    }
}

/// A step and the change of the gradient along it.
struct Step {
    moved: Vec<f64>,
    turned: Vec<f64>,
    /// 1 / (moved · turned), which the Wolfe conditions keep positive.
    scale: f64,
}

impl Step {
    fn new(moved: Vec<f64>, turned: Vec<f64>) -> Self {
        let scale = dot(&moved, &turned).recip();
        Self {
            moved,
            turned,
            scale,
        }
    }
}

/// The negative gradient times the approximate inverse Hessian.
fn direction(gradient: &[f64], memory: &VecDeque<Step>) -> Vec<f64> {
    let mut direction: Vec<f64> = gradient.iter().map(|component| -component).collect();
    let mut weights = Vec::with_capacity(memory.len());
    for step in memory.iter().rev() {
        let weight = step.scale * dot(&step.moved, &direction);
        add(&mut direction, -weight, &step.turned);
        weights.push(weight);
    }
    if let Some(last) = memory.back() {
        let scale = (last.scale * dot(&last.turned, &last.turned)).recip();
        direction
            .iter_mut()
            .for_each(|component| *component *= scale);
    }
    for (step, weight) in memory.iter().zip(weights.into_iter().rev()) {
        let correction = weight - step.scale * dot(&step.turned, &direction);
        add(&mut direction, correction, &step.moved);
    }
    direction
}

struct Trial {
    point: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
}

/// A point along the direction that is lower and less steep; `None` where rounding allows none. A
/// point where the function is not finite is too far, like one that is higher.
fn search(
    point: &[f64],
    value: f64,
    slope: f64,
    direction: &[f64],
    first: f64,
    function: impl Fn(&[f64]) -> (f64, Vec<f64>),
) -> Option<Trial> {
    let (mut low, mut high, mut length) = (0.0, f64::INFINITY, first);
    for _ in 0..TRIALS {
        let mut next = point.to_vec();
        add(&mut next, length, direction);
        let (lower, gradient) = function(&next);
        let steepness = dot(&gradient, direction);
        let is_finite = lower.is_finite() && steepness.is_finite();
        if !is_finite || lower > value + DECREASE * length * slope {
            high = length;
        } else if steepness < CURVATURE * slope {
            low = length;
        } else {
            return Some(Trial {
                point: next,
                value: lower,
                gradient,
            });
        }
        length = match high.is_finite() {
            true => (low + high) / 2.0,
            false => 2.0 * low,
        };
    }
    None
}

fn is_flat(gradient: &[f64], tolerance: f64) -> bool {
    gradient
        .iter()
        .all(|component| component.abs() <= tolerance)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn add(to: &mut [f64], times: f64, other: &[f64]) {
    for (sum, value) in to.iter_mut().zip(other) {
        *sum += times * value;
    }
}

fn difference(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(x, y)| x - y).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_curved_valley_is_followed_to_its_lowest_point() {
        let rosenbrock = |at: &[f64]| {
            let (x, y) = (at[0], at[1]);
            let off = y - x * x;
            let value = (1.0 - x).powi(2) + 100.0 * off * off;
            (value, vec![-2.0 * (1.0 - x) - 400.0 * x * off, 200.0 * off])
        };
        let found = minimise(vec![-1.2, 1.0], 1e-9, 100, rosenbrock);
        assert!(found.converged);
        for component in found.point {
            assert!((component - 1.0).abs() < 1e-8, "{component}");
        }
        let stopped = minimise(vec![-1.2, 1.0], 1e-9, 3, rosenbrock);
        assert!(!stopped.converged);
    }

    #[test]
    fn a_step_to_where_the_function_is_undefined_is_too_long() {
        // x - ln x in units of 0.1: the first step, of length 1, leads to the logarithm of -8.5.
        let barrier = |at: &[f64]| {
            let x = at[0] / 0.1;
            (x - x.ln(), vec![(1.0 - 1.0 / x) / 0.1])
        };
        let found = minimise(vec![0.15], 1e-9, 100, barrier);
        assert!(found.converged);
        assert!((found.point[0] - 0.1).abs() < 1e-9, "{}", found.point[0]);
        let nowhere = minimise(vec![1.0], 1e-9, 100, |_| (f64::NAN, vec![f64::NAN]));
        assert!(!nowhere.converged);
        assert_eq!(nowhere.point, [1.0]);
    }

    #[test]
    fn a_function_that_is_flat_stays_where_it_is() {
        let found = minimise(vec![3.0], 1e-9, 10, |_| (1.0, vec![0.0]));
        assert!(found.converged);
        assert_eq!(found.point, [3.0]);
    }
}
