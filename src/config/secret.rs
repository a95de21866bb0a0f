//! Values nobody may read in a log, an error or `config show`.

use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// A password or key. Prints as stars; only [`Self::expose`] gives it out.
#[derive(Clone)]
pub struct Secret(Option<String>);

impl Secret {
    /// Takes a value into keeping.
    #[must_use]
    pub fn new(value: String) -> Self {
        Self(Some(value))
    }

    /// One whose file was not opened, because nobody here will need it.
    pub(super) fn unread() -> Self {
        Self(None)
    }

    pub(super) fn is_unread(&self) -> bool {
        self.0.is_none()
    }

    /// The value itself, for the one place that hands it to the peer; empty where it was not read.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Whether this file is not for us to read.
pub(super) fn is_hidden(path: &Path) -> bool {
    let opened = fs::File::open(path);
    opened.is_err_and(|error| error.kind() == std::io::ErrorKind::PermissionDenied)
}

/// The secret in a file, and whether the file is closed to other users.
pub(super) fn read_secret(path: &Path) -> Result<(Secret, bool), String> {
    /// Longer than any password or key: someone named the wrong file.
    const LONGEST: u64 = 4096;
    let shown = path.display();
    let unreadable = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            format!("找不到文件 {shown}，请检查路径，或检查 systemd 凭据的名称")
        }
        std::io::ErrorKind::PermissionDenied => {
            format!("没有读取 {shown} 的权限，请把文件的所有者改为运行 cuiban 的用户")
        }
        _ => format!("读取 {shown} 失败（{error}）"),
    };
    let about = fs::metadata(path).map_err(unreadable)?;
    if !about.is_file() || about.len() > LONGEST {
        return Err(format!(
            "{shown} 不像是只存放一行口令或密钥的文件，请检查路径"
        ));
    }
    let text = fs::read_to_string(path).map_err(unreadable)?;
    let secret = text.trim();
    if secret.is_empty() || secret.lines().count() > 1 {
        return Err(format!("{shown} 里应有且只有一行口令或密钥"));
    }
    let private = about.permissions().mode() & 0o004 == 0;
    Ok((Secret::new(secret.to_owned()), private))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_prints_as_stars() {
        let secret = Secret::new("hunter2".into());
        assert_eq!(
            format!("{secret} {secret:?} {:?}", Some(&secret)),
            "*** *** Some(***)"
        );
        assert_eq!(secret.expose(), "hunter2");
    }
}
