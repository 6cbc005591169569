//! ln Z of the top: exactly where that can be computed, else from both sides.

use super::report::{Estimate, LogZ, Memory};
use super::training::Training;
use crate::args::{EvalArgs, PathName, SpacingName};
use crate::failure::{Result, count};
use crate::machine::ranks;
use crate::report::{Report, thousands};
use candle_core::Device;
use deepbelief_rbm::likelihood::{
    APART, AnnealConfig, AnnealPath, BothWays, FEWEST_EFFECTIVE, Ladder, Means, PILOT, Verdict, Watch, adaptive_ladder,
    annealed_importance, base_rates, exact_log_partition, is_summable, mixing, reverse_annealed_importance,
};
use deepbelief_stack::Dbn;
use std::sync::Arc;

/// Correlation with their start that chains may keep before a warning: a hundred chains leave some
/// hundredths by chance.
const REMEMBERED: f64 = 0.2;

/// The chains that know nothing of the data take a fifth of the temperatures, and not fewer than these.
const PROBE_SHARE: usize = 5;
const FEWEST_PROBED: usize = 500;

/// Whether the states of the smaller side are summed over.
pub(super) fn is_exact(dbn: &Dbn, args: &EvalArgs) -> bool {
    !args.estimate && is_summable(dbn.top())
}

/// ln Z, and what is known of the chains that it rests on.
pub(super) fn log_z(
    dbn: &Dbn,
    training: &Training,
    args: &EvalArgs,
    device: &Device,
    report: &Report,
) -> Result<(LogZ, Option<Memory>)> {
    let top = dbn.top();
    if is_exact(dbn, args) {
        let smaller = top.visible().min(top.hidden());
        tracing::info!("summing over the states of {}, exactly", count(smaller, "unit"));
        return Ok((LogZ { exact: Some(exact_log_partition(top)?), ..LogZ::default() }, None));
    }
    let top = &top.to_device(device)?;
    let steps = args.temperatures as usize;
    let mut config = AnnealConfig {
        chains: args.chains as usize,
        ladder: Ladder::with_steps(steps)?,
        burn_in: args.burn_in,
        seed: args.seed,
        threads: ranks::threads(args.threads as usize),
        watch: Watch::default(),
        ranks: ranks::shared(),
    };
    let adaptive = args.spacing == SpacingName::Adaptive;
    let probed = (steps / PROBE_SHARE).max(FEWEST_PROBED).min(steps);
    let pilots = if adaptive { 2 * PILOT } else { 0 };
    let work = Arc::new(report.work("annealing", (pilots + 2 * steps + probed) as u64 + 2 * u64::from(config.burn_in)));
    let watched = Arc::clone(&work);
    config.watch = Watch::new(move || watched.did(1));
    let (chains, temperatures) = (count(config.chains, "chain"), thousands(steps));
    tracing::info!("annealing {chains} over {temperatures} temperatures, both ways");
    let (all, all_labels) = training.all(dbn.classes());
    let means = Means::of(top, &all, &all_labels, &config)?;
    let path = match args.path {
        PathName::Visible => AnnealPath::visible(top, &base_rates(top, &means.visible)?)?,
        PathName::Independent => AnnealPath::independent(top, &means)?,
        PathName::Matched => AnnealPath::matched(top, &means, &config)?,
    };
    let (states, labels) = training.spread(config.chains, dbn.classes());
    if adaptive {
        config.ladder = adaptive_ladder(top, &path, Some((&states, &labels)), &config, steps)?;
    }
    let forward = annealed_importance(top, &path, &config)?;
    let reverse = reverse_annealed_importance(top, &path, &states, &labels, &config)?;
    let probe = AnnealConfig { ladder: Ladder::with_steps(probed)?, seed: !config.seed, ..config.clone() };
    let probe = annealed_importance(top, &AnnealPath::fair(top)?, &probe)?;
    let both = BothWays::of(top, &forward, &reverse)?.probed_by(&probe);
    let memory = match config.burn_in {
        0 => None,
        _ => Some(mixing(top, &states, &labels, &config)?),
    };
    work.done();
    let memory = memory.map(|mixing| Memory { half_life: mixing.half_life(), left: mixing.left() });
    warn_of(&both, forward.estimate.value - reverse.estimate.value, memory, args);
    let (mut ais, mut reverse_ais) = (Estimate::of(&forward.estimate), Estimate::of(&reverse.estimate));
    match both.verdict {
        Verdict::Phases(_) | Verdict::UnseenModes(_) | Verdict::Apart => {
            (ais, reverse_ais) = (ais.without_interval(), reverse_ais.without_interval());
        }
        Verdict::MissedModes => reverse_ais = reverse_ais.without_interval(),
        Verdict::Sound | Verdict::FewChains => {}
    }
    let log_z = LogZ {
        exact: None,
        both_ways: Some(Estimate::of(&both.log_z)),
        ais: Some(ais),
        reverse_ais: Some(reverse_ais),
        verdict: Some(both.verdict),
        furthest: both.furthest,
    };
    Ok((log_z, memory))
}

/// Says where the estimates cannot be trusted. `contradiction` is how far the reverse estimate of ln Z is below
/// the forward one.
fn warn_of(both: &BothWays, contradiction: f64, memory: Option<Memory>, args: &EvalArgs) {
    if let Some(Memory { left, .. }) = memory.filter(|memory| memory.left > REMEMBERED) {
        tracing::warn!(
            "after {} Gibbs steps the chains still resemble the samples they started from (correlation {left:.2}): \
             the model mixes slowly, and the reverse estimate holds only as far as the samples are like the model; \
             try a longer --burn-in",
            thousands(args.burn_in as usize)
        );
    }
    let other_path = if args.path == PathName::Independent { "another --path" } else { "--path independent" };
    match both.verdict {
        Verdict::Phases(end) => tracing::warn!(
            "at β = {:.0} the chains of the two directions sit in different phases, {:.1} standard deviations apart: \
             no interval holds; try more --temperatures, {other_path}, or a longer --burn-in",
            end.beta,
            end.deviations
        ),
        Verdict::MissedModes => tracing::warn!(
            "the reverse estimate of ln Z is {contradiction:.1} nats below the forward one: chains from the training \
             samples miss modes of the model, and only the forward estimate (AIS) stands; try a longer --burn-in"
        ),
        Verdict::FewChains => tracing::warn!(
            "fewer than {FEWEST_EFFECTIVE} chains carry the estimate of one direction: it has no interval; try more \
             --temperatures, more --chains, or {other_path}"
        ),
        Verdict::Apart => tracing::warn!(
            "the two directions differ by {:.2} nats, which is more than their standard errors allow: no interval \
             holds; try more --temperatures, more --chains, or {other_path}",
            contradiction.abs()
        ),
        Verdict::UnseenModes(nats) => tracing::warn!(
            "chains that know nothing of the training samples find an ln Z that is {nats:.1} nats larger: the model has \
             modes that these samples do not show, and every likelihood here is too high by that much or more; give \
             training samples of all its modes"
        ),
        Verdict::Sound => {
            if let Some(furthest) = both.furthest.filter(|furthest| furthest.deviations > APART) {
                tracing::warn!(
                    "near β = {:.3} the chains of the two directions are {:.1} standard deviations apart: the states \
                     leap there, and errors may be larger than the interval; try more --temperatures, or {other_path}",
                    furthest.beta,
                    furthest.deviations
                );
            }
        }
    }
}
