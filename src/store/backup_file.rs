//! A backup as a file: whole under its name or not there, read back before it is believed, and for
//! those alone who may read it.
//!
//! Encryption is age's own program (`age`, in Debian's package of that name): a file that its owners
//! can open in ten years without this one.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, PipeWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use super::StoreError;
use super::backup::{self, CheckOnly, Content};
use super::files::{io as failed, sync_folder};

/// How a file that age has encrypted begins.
const AGE_MARK: &[u8] = b"age-encryption.org/";

/// Writes what `produce` gives to a new file, encrypted for `recipients` where there are any, and
/// checks all of it before the file gets its name. Blocks.
///
/// # Errors
/// Where it cannot be written or is not whole; no file is left then.
pub fn keep(
    path: &Path,
    recipients: &[String],
    produce: impl FnOnce(&mut dyn Write) -> Result<(), StoreError>,
) -> Result<Content, StoreError> {
    if path.exists() {
        return Err(StoreError::Refused(format!(
            "文件“{}”已经存在：请换一个文件名",
            path.display()
        )));
    }
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let written = match recipients {
        [] => plain(&part, produce),
        recipients => encrypted(&part, recipients, produce),
    };
    let named = written.and_then(|content| {
        std::fs::rename(&part, path).map_err(|error| failed(path, error))?;
        match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => sync_folder(folder)?,
            _ => sync_folder(Path::new("."))?,
        }
        Ok(content)
    });
    if named.is_err() {
        let _ = std::fs::remove_file(&part);
    }
    named
}

fn create(part: &Path) -> Result<File, StoreError> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(part)
        .map_err(|error| failed(part, error))
}

fn plain(
    part: &Path,
    produce: impl FnOnce(&mut dyn Write) -> Result<(), StoreError>,
) -> Result<Content, StoreError> {
    let mut file = BufWriter::with_capacity(1 << 18, create(part)?);
    produce(&mut file)?;
    let file = file
        .into_inner()
        .map_err(|error| failed(part, error.into_error()))?;
    file.sync_all().map_err(|error| failed(part, error))?;
    check(part)
}

/// Reads a file that is not encrypted to its end.
fn check(path: &Path) -> Result<Content, StoreError> {
    let file = File::open(path).map_err(|error| failed(path, error))?;
    backup::read(&mut BufReader::with_capacity(1 << 18, file), &mut CheckOnly)
}

/// What age has written cannot be read back without the key, so what goes in is checked on its way.
fn encrypted(
    part: &Path,
    recipients: &[String],
    produce: impl FnOnce(&mut dyn Write) -> Result<(), StoreError>,
) -> Result<Content, StoreError> {
    let file = create(part)?;
    let out = file.try_clone().map_err(|error| failed(part, error))?;
    let mut command = Command::new("age");
    for recipient in recipients {
        command.args(["-r", recipient]);
    }
    let mut age = Age::start(command.stdin(Stdio::piped()).stdout(out))?;
    let (checked, sent) = io::pipe().map_err(no_pipe)?;
    let checker = std::thread::spawn(move || {
        let mut from = BufReader::with_capacity(1 << 18, checked);
        let read = backup::read(&mut from, &mut CheckOnly);
        // What follows a flaw is taken as well, or the writer would be told of a broken pipe.
        let _ = io::copy(&mut from, &mut io::sink());
        read
    });
    let both = Both {
        age: age.child.stdin.take(),
        check: sent,
    };
    let mut to = BufWriter::with_capacity(1 << 18, both);
    let produced = produce(&mut to);
    let flushed = to.flush().map_err(|error| failed(part, error));
    drop(to);
    age.end()?;
    produced.and(flushed)?;
    file.sync_all().map_err(|error| failed(part, error))?;
    let read = checker.join();
    read.unwrap_or_else(|_| Err(StoreError::Engine("备份没有核对完".into())))
}

struct Both {
    age: Option<ChildStdin>,
    check: PipeWriter,
}

impl Write for Both {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(age) = &mut self.age {
            age.write_all(bytes)?;
        }
        self.check.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Opens a backup for reading; `identity` is the file with age's private key.
///
/// # Errors
/// Where it cannot be read, or is encrypted and no key was given.
pub fn open(path: &Path, identity: Option<&Path>) -> Result<Box<dyn BufRead>, StoreError> {
    let mut file = BufReader::with_capacity(
        1 << 18,
        File::open(path).map_err(|error| failed(path, error))?,
    );
    let begins = file.fill_buf().map_err(|error| failed(path, error))?;
    if !begins.starts_with(AGE_MARK) {
        return Ok(Box::new(file));
    }
    let Some(identity) = identity else {
        return Err(StoreError::Refused(format!(
            "备份“{}”是加密的：请用 --identity 指定 age 私钥文件",
            path.display()
        )));
    };
    let mut command = Command::new("age");
    command.arg("-d").arg("-i").arg(identity).arg(path);
    let age = Age::start(command.stdin(Stdio::null()).stdout(Stdio::piped()))?;
    Ok(Box::new(BufReader::with_capacity(1 << 18, age)))
}

/// The program at work.
struct Age {
    child: Child,
}

impl Age {
    fn start(command: &mut Command) -> Result<Self, StoreError> {
        let child = command.stderr(Stdio::piped()).spawn();
        let child = child.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => StoreError::Refused(
                "加密备份需要 age 程序，本机没有：请先安装（apt install age）".into(),
            ),
            _ => StoreError::Io {
                what: "age".into(),
                source: error,
            },
        })?;
        Ok(Self { child })
    }

    /// Waits for its end and takes its word.
    fn end(&mut self) -> Result<(), StoreError> {
        let status = self.child.wait().map_err(no_pipe)?;
        if status.success() {
            return Ok(());
        }
        let mut said = String::new();
        if let Some(stderr) = &mut self.child.stderr {
            let _ = stderr.take(2000).read_to_string(&mut said);
        }
        let first = said.lines().next().unwrap_or("没有说明原因");
        Err(StoreError::Refused(format!("age 没有完成：{first}")))
    }
}

impl Read for Age {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = match &mut self.child.stdout {
            Some(stdout) => stdout.read(buffer)?,
            None => 0,
        };
        if read == 0 && !buffer.is_empty() {
            self.end().map_err(io::Error::other)?;
        }
        Ok(read)
    }
}

impl Drop for Age {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn no_pipe(source: io::Error) -> StoreError {
    StoreError::Io {
        what: "age".into(),
        source,
    }
}
