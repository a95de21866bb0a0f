//! What lies behind an error.

use std::error::Error;
use std::fmt::Write as _;

/// An error and all its causes on one line, each said once.
#[must_use]
pub fn told(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let said = inner
            .downcast_ref::<std::io::Error>()
            .and_then(the_systems_word)
            .map_or_else(|| inner.to_string(), str::to_owned);
        if !text.contains(&said) {
            let _written = write!(text, "：{said}");
        }
        cause = inner.source();
    }
    text
}

/// The innermost cause, which says most; an outer one may name an address.
#[must_use]
pub fn innermost(error: &dyn Error) -> String {
    let mut last = error;
    while let Some(inner) = last.source() {
        last = inner;
    }
    last.to_string()
}

/// What the operating system said, for those who read no English; none where it is rare.
fn the_systems_word(error: &std::io::Error) -> Option<&'static str> {
    use std::io::ErrorKind;
    error.raw_os_error()?;
    Some(match error.kind() {
        ErrorKind::NotFound => "没有这个文件或文件夹",
        ErrorKind::PermissionDenied => "没有权限",
        ErrorKind::IsADirectory => "这是一个文件夹",
        ErrorKind::NotADirectory => "路径中有一段不是文件夹",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "磁盘已满",
        ErrorKind::ReadOnlyFilesystem => "磁盘是只读的",
        ErrorKind::AddrInUse => "地址已被其他程序占用",
        ErrorKind::AddrNotAvailable => "本机没有这个地址",
        ErrorKind::ConnectionRefused => "对方没有接受连接",
        ErrorKind::TimedOut => "超时",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("读写“{0}”时出错")]
    struct Outer(&'static str, #[source] Inner);

    #[derive(Debug, thiserror::Error)]
    #[error("磁盘已满")]
    struct Inner;

    #[test]
    fn a_chain_of_errors_is_one_line() {
        assert_eq!(
            told(&Outer("journal", Inner)),
            "读写“journal”时出错：磁盘已满"
        );
        assert_eq!(told(&Inner), "磁盘已满");
    }

    #[test]
    fn the_system_speaks_the_readers_language() {
        #[derive(Debug, thiserror::Error)]
        #[error("无法写入“a.csv”")]
        struct Write(#[source] std::io::Error);
        let denied = std::io::Error::from_raw_os_error(13);
        assert_eq!(told(&Write(denied)), "无法写入“a.csv”：没有权限");
        let ours = std::io::Error::other("第3行太长");
        assert_eq!(told(&Write(ours)), "无法写入“a.csv”：第3行太长");
    }
}
