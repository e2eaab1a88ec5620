//! Where Kafka's jars come from: fetched once by Maven, kept under the target folder.
//!
//! Only this part of the harness needs the network.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The release that the tests run against.
const VERSION: &str = "4.2.0";

/// The oldest Java that Kafka 4 brokers run on (KIP-1013).
const JAVA_AT_LEAST: u32 = 17;

/// SLF4J's simple backend has the version of the API that Kafka 4.2.0 depends on.
const POM: &str = r#"<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>kreplay</groupId>
  <artifactId>test-broker</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>4.2.0</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
"#;

/// Whether Java and, while the jars are missing, Maven are installed; otherwise what is missing.
pub(super) fn available() -> Result<(), String> {
    let version = java_version()?;
    if version < JAVA_AT_LEAST {
        return Err(format!(
            "Kafka {VERSION} needs Java {JAVA_AT_LEAST}, `java` is version {version}"
        ));
    }
    if !libs().is_dir() && !is_on_path("mvn") {
        return Err(format!(
            "Kafka {VERSION} is not fetched yet and `mvn` is not on PATH"
        ));
    }
    Ok(())
}

fn java_version() -> Result<u32, String> {
    let output = Command::new("java")
        .arg("-version")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cannot run `java`: {error}"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    major_version(&text).ok_or_else(|| format!("`java -version` says nothing understood: {text}"))
}

/// Reads 17 out of `openjdk version "17.0.15" 2025-04-15`; Java 8 and older say `1.8`.
fn major_version(text: &str) -> Option<u32> {
    let quoted = text.split('"').nth(1)?;
    let digits = quoted.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

fn is_on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// The folder that cargo builds into, found the way cargo does.
fn target_dir() -> PathBuf {
    let configured = std::env::var_os("CARGO_TARGET_DIR").filter(|dir| !dir.is_empty());
    let configured = configured.map_or_else(|| PathBuf::from("target"), PathBuf::from);
    workspace().join(configured)
}

/// The folder with the lock file: `broker`, a workspace member, is compiled from a folder below it.
fn workspace() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = package.ancestors();
    folders
        .find(|folder| folder.join("Cargo.lock").is_file())
        .unwrap_or(package)
}

fn cache() -> PathBuf {
    target_dir().join(format!("kafka-{VERSION}"))
}

fn libs() -> PathBuf {
    cache().join("libs")
}

/// Returns the folder with Kafka's jars, fetching them first when they are missing.
///
/// Safe to call from many processes at once: one fetches, the others wait. The folder gets its name
/// only when it is complete.
pub(super) fn fetch() -> Result<PathBuf, String> {
    let libs = libs();
    if libs.is_dir() {
        return Ok(libs);
    }
    let cache = cache();
    let failed = |error| format!("{}: {error}", cache.display());
    fs::create_dir_all(&cache).map_err(failed)?;
    let lock = File::create(cache.join("lock")).map_err(failed)?;
    lock.lock().map_err(failed)?;
    if !libs.is_dir() {
        // A name of its own: a Maven whose starter was killed may still be writing to an older one.
        let partial = tempfile::Builder::new()
            .prefix("partial-")
            .tempdir_in(&cache)
            .map_err(failed)?;
        download(partial.path())?;
        fs::rename(partial.path().join("libs"), &libs).map_err(failed)?;
    }
    Ok(libs)
}

/// Lets Maven copy Kafka and its run-time dependencies into `folder/libs`.
fn download(folder: &Path) -> Result<(), String> {
    fs::write(folder.join("pom.xml"), POM)
        .map_err(|error| format!("{}: {error}", folder.display()))?;
    let output = Command::new("mvn")
        .args([
            "-q",
            "-B",
            "dependency:copy-dependencies",
            "-DincludeScope=runtime",
        ])
        .arg(format!(
            "-DoutputDirectory={}",
            folder.join("libs").display()
        ))
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cannot run `mvn`: {error}"))?;
    let kafka = folder.join(format!("libs/kafka_2.13-{VERSION}.jar"));
    if output.status.success() && kafka.is_file() {
        return Ok(());
    }
    // Maven reports its errors on stdout.
    Err(format!(
        "`mvn` could not fetch Kafka {VERSION} ({}): {}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    ))
}
