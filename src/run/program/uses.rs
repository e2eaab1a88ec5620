//! The files that a run uses, collected from all of its settings: what it reads and what it writes. This
//! file is separate from `outputs`, which compares them and knows no flags.

use std::path::{Path, PathBuf};

use crate::config::{Config, ExpectationSource, Input, Source, TokenSource};
use crate::extract;
use crate::host::outputs::{InputFile, Overlap};

/// What `config` reads and writes. Lists folders only if the run will write a file that exists.
pub(crate) fn overlap(config: &Config) -> Overlap {
    let delivery = &config.delivery;
    let writes: Vec<(&str, PathBuf)> = [
        ("--rejects", &delivery.rejects),
        ("--resume", &delivery.journal),
        ("--report-file", &config.output.report_file),
    ]
    .into_iter()
    .filter_map(|(flag, file)| Some((flag, file.clone()?)))
    .collect();
    let mut inputs = inputs(&config.source);
    if let Some(ExpectationSource::Other(source)) = config.expected.as_ref().map(|e| &e.source) {
        inputs.extend(self::inputs(source));
    }
    let is_folder = |path: &&Path| path.is_dir();
    let paths = inputs.iter().filter_map(|input| match input {
        Input::Stdin => None,
        Input::File(path) => Some(path.as_path()),
    });
    let folders: Vec<PathBuf> = paths.filter(is_folder).map(Path::to_path_buf).collect();
    let mut reads: Vec<InputFile> = inputs.iter().map(read).collect();
    if writes.iter().any(|(_, path)| path.is_file()) {
        reads.extend(
            extract::files_in(&folders)
                .into_iter()
                .map(InputFile::Input),
        );
    }
    reads.extend(flags(config));
    Overlap {
        reads,
        folders,
        writes,
    }
}

fn read(input: &Input) -> InputFile {
    match input {
        Input::Stdin => InputFile::Stdin,
        Input::File(path) => InputFile::Input(path.clone()),
    }
}

fn inputs(source: &Source) -> Vec<Input> {
    match source {
        Source::Inputs(inputs) => inputs.all.clone(),
        Source::Snapshot(snapshot) => {
            let pulled = extract::pulled(&snapshot.id);
            pulled.map(Input::File).into_iter().collect()
        }
    }
}

/// What flags and properties name besides the inputs.
fn flags(config: &Config) -> impl Iterator<Item = InputFile> {
    let settings = config.read_for_flags.iter().cloned();
    let token = match &config.destination.token {
        Some(TokenSource::File(path)) => Some(("--oauth-file".to_string(), path.clone())),
        Some(TokenSource::Command(_)) | None => None,
    };
    // Certificates, keys, keytabs: any property may name a file.
    let properties = config.destination.properties.iter();
    let properties = properties.map(|(name, value)| (format!("-X {name}"), PathBuf::from(value)));
    let properties = properties.filter(|(_, path)| path.is_file());
    let all = settings.chain(token).chain(properties);
    all.map(|(flag, path)| InputFile::Flag(flag, path))
}
