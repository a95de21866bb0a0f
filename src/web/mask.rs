//! Addresses as lists show them: enough to recognise, not enough to use.

/// `138****0000`, `z***@dg.gov.cn`, `z***`.
#[must_use]
pub fn masked(address: &str) -> String {
    let first = |text: &str, count: usize| -> String { text.chars().take(count).collect() };
    if let Some((local, domain)) = address.rsplit_once('@') {
        return format!("{}***@{domain}", first(local, 1));
    }
    if address.len() == 11 && address.bytes().all(|byte| byte.is_ascii_digit()) {
        let last: String = address.chars().skip(7).collect();
        return format!("{}****{last}", first(address, 3));
    }
    format!("{}***", first(address, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enough_to_recognise() {
        assert_eq!(masked("13812345678"), "138****5678");
        assert_eq!(masked("zhangsan@dg.gov.cn"), "z***@dg.gov.cn");
        assert_eq!(masked("ZhangSan"), "Z***");
        assert_eq!(masked(""), "***");
    }
}
