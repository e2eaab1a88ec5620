//! The commands: `replay/` sends, `plan.rs` forecasts, `extract/` prints, `inspect/` describes, `compare/`
//! compares. Each joins an extraction with a receiver of its records; `driver.rs` waits and passes signals
//! on, `show/` shows the result, `program/` surrounds all of them.

mod compare;
mod driver;
pub(crate) mod extract;
mod inspect;
mod plan;
pub(crate) mod program;
mod replay;
pub(crate) mod show;

use tokio::sync::mpsc;

use self::driver::Driver;
use crate::cli::completions;
use crate::config::{Config, SnapshotAction, Source, Task};
use crate::error::Error;
use crate::extract::{built_in_text, command_line};
use crate::host::console::Console;
use crate::report::Signal;

use self::show::product::Product;

/// Does what `config` says. The first of `signals` stops reading and drains what librdkafka holds (10 s at
/// most), the second one ends the run at once; both lead to a report.
///
/// # Errors
/// Returns only what is wrong before anything has begun; a run that fails later has a report that says so.
async fn run(config: Config, signals: mpsc::Receiver<Signal>) -> Result<Product, Error> {
    if let Source::Snapshot(snapshot) = &config.source
        && snapshot.action == SnapshotAction::PrintCommand
    {
        let command = command_line(snapshot, &config.extraction)?;
        return Ok(Product::Command(command));
    }
    let driver = Driver::new(Console::new(config.output.verbosity), signals);
    Ok(match &config.task {
        Task::Replay => Product::Report(Box::new(replay::replay(config, driver).await?)),
        Task::Plan => Product::Plan(Box::new(plan::plan(config, driver).await?)),
        Task::Extract => Product::Printout(Box::new(extract::extract(config, driver).await?)),
        Task::Inspect(view) => {
            let view = *view;
            inspect::run(config, view, driver).await?
        }
        Task::Compare(with) => {
            let with = (**with).clone();
            Product::Comparison(Box::new(compare::run(config, with, driver).await?))
        }
        Task::ShowProfile(profile) => Product::Profile(built_in_text(*profile)),
        Task::ShowCompletions(shell) => Product::Completions(completions(*shell)),
    })
}
