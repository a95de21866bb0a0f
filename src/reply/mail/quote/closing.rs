//! What stands below an answer and is none: a signature, a card, the client's own line.

/// `-- ` alone (RFC 3676 4.3); trailing blanks get lost on the way.
pub(super) fn is_signature_mark(line: &str) -> bool {
    line.trim_end() == "--"
}

/// Without the card of vertical bars that NetEase's client puts at the end.
pub(super) fn card_cut<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    /// A card is no longer.
    const LONGEST: usize = 16;
    let bars = |line: &&str| {
        let line = line.trim();
        line.contains('|') && line.chars().all(|c| c == '|' || c.is_whitespace())
    };
    let card = lines.iter().position(bars);
    match card {
        Some(at) if lines.len() - at <= LONGEST => lines.get(..at).unwrap_or(lines).to_vec(),
        _ => lines.to_vec(),
    }
}

/// What a client writes of itself, in a line of its own.
pub(super) fn is_client_line(line: &str) -> bool {
    const LONGEST: usize = 90;
    const STARTS: [&str; 24] = [
        "发自",
        "發自",
        "发送自",
        "從我的",
        "从我的",
        "来自我的",
        "來自我的",
        "获取 Outlook",
        "获取Outlook",
        "下载 Outlook",
        "Sent from",
        "Get Outlook",
        "Sent via",
        "从 Windows",
        "从Windows",
        "使用 Foxmail",
        "签名由",
        "本邮件由网易",
        "发件自",
        "通过 Outlook",
        "来自 Outlook",
        "下载 iOS",
        "下载 Android",
        "Download Outlook",
    ];
    let short = line.chars().count() <= LONGEST && !line.contains(['，', '。', '；']);
    let ends = |word: &str| line.ends_with(word);
    let from = line.starts_with("来自") && (ends("邮箱") || ends("手机") || ends("客户端"));
    short && (from || STARTS.iter().any(|start| line.starts_with(start)))
}
