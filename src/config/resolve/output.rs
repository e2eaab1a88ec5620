//! Resolves what kreplay prints, and what it does about records that are not delivered.

use crate::cli;
use crate::config::{
    DeliveryPolicy, EmptySource, Output, Redacted, Reordered, ReportForm, SubstitutePolicy,
    Verbosity, WaitedGroups, When,
};

pub(super) fn resolve_delivery(
    args: cli::DeliveryArguments,
    groups: cli::GroupArguments,
) -> DeliveryPolicy {
    DeliveryPolicy {
        groups: resolve_groups(groups),
        rejects: args.rejects,
        journal: args.resume,
        on_refused: args.on_refused,
        give_up_after: args.give_up_after,
        reordered: match args.allow_reordered {
            true => Reordered::Allowed,
            false => Reordered::Fails,
        },
        substitutes: resolve_substitutes(&args.substitutes),
    }
}

pub(super) fn resolve_substitutes(args: &cli::SubstituteArguments) -> SubstitutePolicy {
    SubstitutePolicy {
        redacted: match args.fail_on_redacted {
            true => Redacted::Fails,
            false => Redacted::Sent,
        },
        dates: args.resolve_dates,
    }
}

fn resolve_groups(args: cli::GroupArguments) -> WaitedGroups {
    let mut names: Vec<String> = Vec::new();
    for name in args.names {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    WaitedGroups {
        names,
        limit: args.drain_timeout,
    }
}

pub(super) fn resolve_empty(allowed: bool) -> EmptySource {
    match allowed {
        true => EmptySource::Allowed,
        false => EmptySource::Fails,
    }
}

/// The output of a run without a destination.
pub(super) fn quiet_output(report: ReportForm, verbosity: Verbosity) -> Output {
    Output {
        report,
        report_file: None,
        progress: When::Never,
        verbosity,
    }
}

pub(super) fn resolve_output(args: cli::OutputArguments) -> Output {
    Output {
        report: args.report,
        report_file: args.report_file,
        progress: args.progress,
        verbosity: verbosity(args.quiet, args.verbose),
    }
}

pub(super) fn verbosity(quiet: bool, verbose: bool) -> Verbosity {
    match (quiet, verbose) {
        (true, _) => Verbosity::Quiet,
        (false, true) => Verbosity::Verbose,
        (false, false) => Verbosity::Normal,
    }
}
