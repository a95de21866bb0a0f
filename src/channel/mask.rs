//! What peers say goes into the journal, the log and the board; addresses, telephone numbers and
//! keys do not.

/// A peer's words, fit to be kept: one line, of bearable length, masked.
#[must_use]
pub fn told(text: &str) -> String {
    const MOST: usize = 300;
    let line: String = text
        .split_whitespace()
        .map(masked_word)
        .collect::<Vec<_>>()
        .join(" ");
    if line.chars().count() <= MOST {
        return line;
    }
    let mut cut: String = line.chars().take(MOST).collect();
    cut.push('…');
    cut
}

/// `z***@dg.gov.cn`: enough to recognise, not enough to write to.
#[must_use]
pub fn address(address: &str) -> String {
    match address.rsplit_once('@') {
        Some((local, domain)) => {
            let first: String = local.chars().take(1).collect();
            format!("{first}***@{domain}")
        }
        None => "***".into(),
    }
}

fn masked_word(word: &str) -> String {
    let mut masked = String::with_capacity(word.len());
    let mut token = String::new();
    for c in word.chars() {
        if c.is_ascii_alphanumeric() || "@._-+=".contains(c) {
            token.push(c);
        } else {
            masked.push_str(&masked_token(&token));
            token.clear();
            masked.push(c);
        }
    }
    masked.push_str(&masked_token(&token));
    masked
}

fn masked_token(token: &str) -> String {
    if let Some((local, _)) = token.rsplit_once('@')
        && !local.is_empty()
    {
        return address(token);
    }
    if is_mobile(token) || is_uuid(token) {
        return "***".into();
    }
    token.to_owned()
}

fn is_mobile(token: &str) -> bool {
    let digits: Vec<u8> = token.bytes().filter(u8::is_ascii_digit).collect();
    digits.len() == 11 && token.len() <= 14 && digits.first() == Some(&b'1')
}

fn is_uuid(token: &str) -> bool {
    let groups: Vec<usize> = token
        .trim_matches(['.', '_', '-', '+', '='])
        .rsplit('=')
        .next()
        .unwrap_or(token)
        .split('-')
        .filter(|group| group.bytes().all(|b| b.is_ascii_hexdigit()))
        .map(str::len)
        .collect();
    groups == [8, 4, 4, 4, 12]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_one_could_write_to_or_call_or_post_with_is_kept() {
        let cases = [
            (
                "550 5.1.1 <zhongjp@kjj.dg.gov.cn>: User unknown",
                "550 5.1.1 <z***@kjj.dg.gov.cn>: User unknown",
            ),
            ("用户13800000001不存在", "用户***不存在"),
            ("bad 693a1116-7a0c-4bc4-97a0-0ec20bfa5aaa.", "bad ***"),
            ("key=693a1116-7a0c-4bc4-97a0-0ec20bfa5aaa", "***"),
            (
                "250 2.0.0 Ok:\r\n queued as 4F1A2B3C4D",
                "250 2.0.0 Ok: queued as 4F1A2B3C4D",
            ),
            ("zhang", "zhang"),
        ];
        for (told_us, kept) in cases {
            assert_eq!(told(told_us), kept);
        }
        assert!(told(&"催".repeat(1000)).chars().count() == 301);
    }
}
