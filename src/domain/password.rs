//! Whether a password is hard enough to guess. No rule asks for capitals or signs: they make
//! passwords hard to remember and no harder to guess (NIST SP 800-63B). What counts is how much is
//! left when everything is counted once that guessers try first.

/// Shortest password, in characters.
pub const SHORTEST: usize = 10;
/// Longest, in bytes: more is an attack, not a password.
pub const LONGEST: usize = 1024;
/// Pieces that have to come together: a character, or a word, run or repetition as one.
const PIECES: usize = 4;

/// Why a password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weak {
    /// Too short.
    Short,
    /// Too long.
    Long,
    /// Among the first that are tried.
    Guessed,
}

/// Words that are tried first, here: from the lists of passwords that became known, with what the
/// people of this trade would add. Runs of letters, digits and keys are found by themselves.
const TRIED_FIRST: &[&str] = &[
    "password",
    "passw0rd",
    "p@ssw0rd",
    "p@ssword",
    "admin",
    "administrator",
    "root",
    "guest",
    "test",
    "user",
    "login",
    "welcome",
    "hello",
    "letmein",
    "master",
    "monkey",
    "dragon",
    "secret",
    "system",
    "server",
    "manager",
    "office",
    "default",
    "changeme",
    "iloveyou",
    "princess",
    "football",
    "baseball",
    "sunshine",
    "shadow",
    "superman",
    "batman",
    "trustno1",
    "whatever",
    "freedom",
    "computer",
    "internet",
    "google",
    "qq",
    "weixin",
    "wechat",
    "huawei",
    "xiaomi",
    "aliyun",
    "taobao",
    "woaini",
    "woaiwojia",
    "woaizhongguo",
    "zhongguo",
    "china",
    "beijing",
    "shanghai",
    "guangdong",
    "guangzhou",
    "shenzhen",
    "dongguan",
    "nihao",
    "wodemima",
    "mima",
    "cuiban",
    "duban",
    "ducha",
    "duchake",
    "dubanke",
    "zhengfu",
    "gov",
    "gongzuo",
    "abc",
    "asd",
    "zxc",
    "qaz",
    "wsx",
    "edc",
    "qwe",
    "1q2w3e4r5t",
    "1q2w3e4r",
    "1q2w3e",
    "1qaz2wsx3edc",
    "1qaz2wsx",
    "q1w2e3r4",
    "1314",
    "520",
    "5201314",
    "1314520",
    "7758521",
    "147258369",
    "147258",
    "159357",
    "741852963",
    "112233",
    "123123",
    "121212",
    "110",
    "120",
    "119",
    "666",
    "888",
    "密码",
    "管理员",
    "督查",
    "督查科",
    "督查室",
    "督办",
    "催办",
    "看板",
    "政府",
    "市政府",
    "办公室",
    "我爱你",
    "我爱中国",
    "中国",
    "你好",
];

const KEYS: &[&str] = &[
    "1234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm,./",
    "!@#$%^&*()",
];

/// Checks a new password of this user.
///
/// # Errors
/// Why it is not taken.
pub fn check(user: &str, password: &str) -> Result<(), Weak> {
    if password.chars().count() < SHORTEST {
        return Err(Weak::Short);
    }
    if password.len() > LONGEST {
        return Err(Weak::Long);
    }
    match pieces(user, password) < PIECES {
        true => Err(Weak::Guessed),
        false => Ok(()),
    }
}

/// In how many pieces a guesser could put it together.
fn pieces(user: &str, password: &str) -> usize {
    let text: Vec<char> = password.chars().flat_map(char::to_lowercase).collect();
    let user: Vec<char> = user.chars().flat_map(char::to_lowercase).collect();
    let mut seen: Vec<&[char]> = Vec::new();
    let mut rest = text.as_slice();
    let mut count = 0;
    while !rest.is_empty() {
        let length = [known(rest, &user), run(rest), repeated(rest), year(rest)];
        let length = length.into_iter().max().unwrap_or(0).max(1);
        let (piece, after) = rest.split_at(length.min(rest.len()));
        // The same again adds nothing: `abcXabcXabcX`.
        if !seen.contains(&piece) {
            seen.push(piece);
            count += 1;
        }
        rest = after;
    }
    count
}

/// The longest word at the beginning that is tried first, the user's own name among them.
fn known(text: &[char], user: &[char]) -> usize {
    let words = TRIED_FIRST.iter().map(|word| word.chars().collect());
    let words = words.chain([user.to_vec()]);
    let fits = |word: &Vec<char>| word.len() > 1 && text.starts_with(word);
    words.filter(fits).map(|word| word.len()).max().unwrap_or(0)
}

/// `abcd`, `4321`, `qwer`: three or more that follow each other.
fn run(text: &[char]) -> usize {
    let follows = |step: i64| {
        let pairs = text.windows(2);
        let along = pairs.take_while(|pair| match pair {
            [a, b] => {
                let alike = a.is_ascii_alphanumeric() && b.is_ascii_alphanumeric();
                alike && i64::from(u32::from(*b)) - i64::from(u32::from(*a)) == step
            }
            _ => false,
        });
        along.count() + 1
    };
    let keys = KEYS.iter().map(|row| {
        let row: Vec<char> = row.chars().collect();
        let back: Vec<char> = row.iter().rev().copied().collect();
        along_keys(text, &row).max(along_keys(text, &back))
    });
    let longest = keys.chain([follows(1), follows(-1)]).max().unwrap_or(0);
    if longest >= 3 { longest } else { 0 }
}

fn along_keys(text: &[char], row: &[char]) -> usize {
    let Some(start) = text.first() else { return 0 };
    let Some(at) = row.iter().position(|key| key == start) else {
        return 0;
    };
    let keys = row.iter().skip(at);
    text.iter().zip(keys).take_while(|(a, b)| a == b).count()
}

fn repeated(text: &[char]) -> usize {
    let first = text.first();
    let count = text.iter().take_while(|c| Some(*c) == first).count();
    if count >= 3 { count } else { 0 }
}

/// `1987`, `2022`.
fn year(text: &[char]) -> usize {
    let four: String = text.iter().take(4).collect();
    let years = four.parse::<u32>().is_ok_and(|n| (1900..2100).contains(&n));
    if years { 4 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_guessers_try_first_is_refused_whatever_signs_it_has() {
        for poor in [
            "1234567890",
            "qwertyuiop",
            "aaaaaaaaaaaa",
            "password123",
            "Password123!",
            "P@ssw0rd2022",
            "Admin@123456",
            "admin888888",
            "woaini1314520",
            "1q2w3e4r5t6y",
            "1qaz2wsx3edc",
            "dongguan2022!",
            "Dongguan@2026",
            "abcabcabcabc",
            "zxcvbnm,./",
            "督查科督查科2022",
            "wangfang123",
            "Wangfang@2026",
            "0987654321",
        ] {
            assert_eq!(check("wangfang", poor), Err(Weak::Guessed), "{poor}");
        }
    }

    #[test]
    fn a_sentence_or_some_words_that_do_not_belong_together_will_do() {
        for good in [
            "督查科的长密码不外传",
            "correct horse battery staple",
            "紫荆花开在三月的雨里",
            "kX93mfa-20vT",
            "lanse dianti 47 kuai",
        ] {
            assert_eq!(check("wangfang", good), Ok(()), "{good}");
        }
    }

    #[test]
    fn length_has_bounds() {
        assert_eq!(check("wang", "kX93mfa-2"), Err(Weak::Short));
        assert_eq!(check("wang", &"紫荆".repeat(200)), Err(Weak::Long));
    }
}
