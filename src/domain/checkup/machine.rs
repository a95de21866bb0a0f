//! The lines on the machine itself: room, rights, fonts.

use super::{Line, State};

/// Room where the store lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disk {
    /// Free megabytes.
    pub free: u64,
    /// Too few: nothing is written any more.
    pub full: bool,
}

/// Who may do what with the store's folder and the command socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rights {
    /// The store's folder.
    pub folder: String,
    /// Whose it is, and so whom the service runs as.
    pub owner: String,
    /// Whether other users may look into it.
    pub open: bool,
    /// What lies in it and belongs to somebody else.
    pub strange: Option<Owned>,
    /// Why it could not be looked through.
    pub unseen: Option<String>,
    /// The command socket, where everybody may use it.
    pub open_socket: Option<String>,
}

/// Files of somebody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owned {
    /// How many.
    pub count: usize,
    /// One of them.
    pub example: String,
    /// Whose that one is.
    pub owner: String,
}

pub(super) fn disk(disk: Disk) -> Line {
    /// Less than this fills up in weeks, with what people attach.
    const LITTLE: u64 = 2048;
    let name = "磁盘";
    let free = size(disk.free);
    match disk {
        Disk { full: true, .. } => Line::new(
            name,
            State::Broken,
            format!("存储目录所在磁盘只剩{free}，已暂停写入，收不到报送"),
            "请清理磁盘（如旧日志：journalctl --vacuum-size=200M）；腾出空间后自动恢复，不必重启",
        ),
        Disk { free: megs, .. } if megs < LITTLE => Line::new(
            name,
            State::Doubtful,
            format!("存储目录所在磁盘只剩{free}"),
            "请清理或扩充磁盘：写满后将暂停写入",
        ),
        Disk { .. } => Line::new(name, State::Well, format!("可用空间{free}"), ""),
    }
}

pub(super) fn rights(rights: &Rights) -> Line {
    let name = "权限";
    let Rights { folder, owner, .. } = rights;
    if let Some(Owned {
        count,
        example,
        owner: other,
    }) = &rights.strange
    {
        return Line::new(
            name,
            State::Broken,
            format!(
                "“{folder}”里有{count}个文件属于 {other}（如 {example}），服务以 {owner} 的身份运行，打不开"
            ),
            &format!("执行 chown -R {owner}: {folder}，再执行 systemctl restart cuiban"),
        );
    }
    if rights.open {
        return Line::new(
            name,
            State::Doubtful,
            format!("其他用户能进入“{folder}”，里面有链接密钥和全部记录"),
            &format!("执行 chmod 700 {folder}"),
        );
    }
    if let Some(socket) = &rights.open_socket {
        return Line::new(
            name,
            State::Doubtful,
            format!("任何用户都能使用命令接口“{socket}”，等于人人是管理员"),
            &format!("执行 chmod o= {socket}"),
        );
    }
    match &rights.unseen {
        Some(why) => Line::new(
            name,
            State::Doubtful,
            format!("没有看全“{folder}”（{why}）"),
            "请以 root 再执行一次 cuiban doctor",
        ),
        None => Line::new(
            name,
            State::Well,
            format!("存储目录只有 {owner} 能进入"),
            "",
        ),
    }
}

pub(super) fn font(font: Option<&str>) -> Line {
    let name = "图片字体";
    match font {
        Some(family) => Line::new(name, State::Well, family, ""),
        None => Line::new(
            name,
            State::Doubtful,
            "没有中文字体，看板上的图不能存成图片，其余不受影响",
            "执行 apt install fonts-noto-cjk（麒麟、欧拉等：dnf install google-noto-sans-cjk-ttc-fonts），安装后不必重启",
        ),
    }
}

fn size(megabytes: u64) -> String {
    match megabytes {
        0..10_240 => format!("{megabytes}MB"),
        _ => format!("{}GB", megabytes >> 10),
    }
}
