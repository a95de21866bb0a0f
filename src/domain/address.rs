//! Forms of addresses: what passes for an e-mail address, a mobile number, a WeCom account.

/// The address itself where this is one e-mail address: one `@`, a domain with a dot, ASCII only.
///
/// Stricter than the RFC on purpose: what is refused here is a typing slip far more often than an
/// address anyone has.
#[must_use]
pub fn email(text: &str) -> Option<&str> {
    const LONGEST: usize = 254;
    let text = text.trim();
    let (local, domain) = text.split_once('@')?;
    let local_fits = !local.is_empty()
        && local.len() <= 64
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && local
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&b));
    (local_fits && text.len() <= LONGEST && is_domain(domain)).then_some(text)
}

/// Whether this is a full domain name: labels of letters, digits and hyphens, at least two.
#[must_use]
pub fn is_domain(text: &str) -> bool {
    let label_fits = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.contains('.') && text.len() <= 253 && text.split('.').all(label_fits)
}

/// The eleven digits of a mainland mobile number, without country code, blanks and hyphens.
#[must_use]
pub fn mobile(text: &str) -> Option<String> {
    let plain: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '－' | '(' | ')'))
        .collect();
    let plain = plain
        .strip_prefix("+86")
        .or_else(|| plain.strip_prefix("0086"))
        .unwrap_or(&plain);
    let digits = plain.bytes().all(|b| b.is_ascii_digit());
    let fits = digits && plain.len() == 11 && plain.starts_with('1');
    // 10x, 11x and 12x are service numbers, not people's telephones.
    (fits && !matches!(plain.as_bytes().get(1), Some(b'0'..=b'2'))).then(|| plain.to_owned())
}

/// Whether this can be a WeCom account (userid): 1 to 64 of letters, digits, `_`, `-`, `@`, `.`,
/// beginning with a letter or digit.
#[must_use]
pub fn is_wecom_user(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-@.".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_email_address_has_one_at_sign_and_a_domain() {
        for good in ["zhong@dg.gov.cn", " a.b+c@b.example ", "1@163.com"] {
            assert_eq!(email(good), Some(good.trim()));
        }
        for bad in [
            "",
            "zhong",
            "zhong@",
            "@dg.gov.cn",
            "a@b@c.cn",
            "a b@c.cn",
            "钟@dg.gov.cn",
            "a@dg",
            "a@dg..cn",
            "a@-dg.cn",
            "a@dg.gov.cn;b@dg.gov.cn",
            ".a@b.cn",
            "a@东莞.cn",
        ] {
            assert_eq!(email(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_mobile_number_is_read_however_it_is_grouped() {
        for good in [
            "13800000000",
            "138 0000 0000",
            "138-0000-0000",
            "+8613800000000",
            "+86 138 0000 0000",
        ] {
            assert_eq!(mobile(good).as_deref(), Some("13800000000"), "{good}");
        }
        for bad in [
            "",
            "1380000000",
            "138000000000",
            "076922830000",
            "12345678901",
            "1380000000o",
        ] {
            assert_eq!(mobile(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_wecom_account_has_no_blanks_or_chinese() {
        assert!(is_wecom_user("ZhongJingPing") && is_wecom_user("zjp_01@dg.gov-1"));
        for bad in ["", "钟靖平", "a b", "@all", "_a", &"a".repeat(65)] {
            assert!(!is_wecom_user(bad), "{bad}");
        }
    }
}
