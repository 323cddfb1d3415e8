//! The ways in which a character can be spelled: as is, percent- and form-encoded, as a JSON escape, as an HTML entity.

/// How often a character may have been encoded again.
const MAX_DEPTH: usize = 4;

/// The ways in which a position of a text can be read: a character, and the position after it.
pub type Readings = Vec<(char, usize)>;

/// Returns every way to read the character at `at`, a character boundary of `text`.
pub fn decode_at(text: &str, at: usize) -> Readings {
    let rest = &text[at..];
    let Some(c) = rest.chars().next() else { return Vec::new() };
    let mut readings = vec![(c, at + c.len_utf8())];
    match c {
        '+' => readings.push((' ', at + 1)),
        '%' => readings.extend(percent(rest).map(|(c, len)| (c, at + len))),
        '\\' => readings.extend(escapes(rest).into_iter().map(|(c, len)| (c, at + len))),
        '&' => readings.extend(entity(rest).map(|(c, len)| (c, at + len))),
        _ => {}
    }
    readings
}

/// A percent-encoded character: `%2F`, `%c3%a9`, and `%252F` where that was encoded again. `%252F` is also `%` before `2F`.
fn percent(text: &str) -> impl Iterator<Item = (char, usize)> {
    (0..MAX_DEPTH).filter_map(move |depth| {
        let (first, mut len) = percent_byte(text, depth)?;
        let mut bytes = vec![first];
        let count = match first {
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            _ => 1,
        };
        while bytes.len() < count {
            let (byte, more) = percent_byte(text.get(len..)?, depth)?;
            bytes.push(byte);
            len += more;
        }
        Some((std::str::from_utf8(&bytes).ok()?.chars().next()?, len))
    })
}

/// A byte whose `%` was encoded again `depth` times, as `%25`.
fn percent_byte(text: &str, depth: usize) -> Option<(u8, usize)> {
    let mut digits = text.strip_prefix('%')?;
    for _ in 0..depth {
        digits = digits.strip_prefix("25")?;
    }
    let byte = u8::try_from(hex(digits, 2)?).ok()?;
    Some((byte, text.len() - digits.len() + 2))
}

/// The number that the first `len` characters spell in hexadecimal.
fn hex(text: &str, len: usize) -> Option<u32> {
    let digits = text.get(..len).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    u32::from_str_radix(digits, 16).ok()
}

/// A JSON or JavaScript escape, also inside a string that was escaped again: `\/`, `\u002f`, `\\\"`.
fn escapes(text: &str) -> Vec<(char, usize)> {
    let slashes = text.bytes().take(2 << MAX_DEPTH).take_while(|byte| *byte == b'\\').count();
    let after = &text[slashes..];
    let mut found: Vec<(char, usize)> =
        [2, 4, 8].into_iter().filter(|count| *count <= slashes).map(|count| ('\\', count)).collect();
    let Some(c) = after.chars().next() else { return found };
    let plain = match c {
        'n' => Some('\n'),
        'r' => Some('\r'),
        't' => Some('\t'),
        'b' => Some('\u{8}'),
        'f' => Some('\u{c}'),
        c if !c.is_alphanumeric() => Some(c),
        _ => None,
    };
    found.extend(plain.map(|plain| (plain, slashes + c.len_utf8())));
    if let Some(digits) = after.strip_prefix('u')
        && let Some(unit) = hex(digits, 4)
    {
        let low = digits.get(4..).and_then(|rest| {
            let slashes = rest.bytes().take(slashes).take_while(|byte| *byte == b'\\').count();
            let rest = rest[slashes..].strip_prefix('u')?;
            Some((hex(rest, 4)?, digits.len() - rest.len() + 4))
        });
        let one = char::from_u32(unit).map(|c| (c, slashes + 5));
        let two = low.filter(|_| (0xd800..0xdc00).contains(&unit)).and_then(|(low, len)| {
            let pair = 0x10000 + ((unit - 0xd800) << 10) + low.checked_sub(0xdc00)?;
            Some((char::from_u32(pair)?, slashes + 1 + len))
        });
        found.extend(one.or(two));
    }
    found
}

/// An HTML entity, also one that was escaped again: `&amp;`, `&#38;`, `&#x26;`, `&amp;#38;`, which is also `&` before `#38;`.
fn entity(text: &str) -> impl Iterator<Item = (char, usize)> {
    let names = std::iter::successors(text.strip_prefix('&'), |name| name.strip_prefix("amp;"));
    names.take(MAX_DEPTH).filter_map(|name| {
        let (c, len) = entity_name(name)?;
        Some((c, text.len() - name.len() + len))
    })
}

fn entity_name(text: &str) -> Option<(char, usize)> {
    if let Some(number) = text.strip_prefix('#') {
        let (digits, radix) = match number.strip_prefix(['x', 'X']) {
            Some(digits) => (digits, 16),
            None => (number, 10),
        };
        let count = digits.bytes().take_while(|byte| char::from(*byte).is_digit(radix)).take(8).count();
        let c = char::from_u32(u32::from_str_radix(&digits[..count], radix).ok()?)?;
        let len = text.len() - digits.len() + count;
        return Some((c, len + usize::from(text[len..].starts_with(';'))));
    }
    ENTITIES.iter().find_map(|entity| {
        let (name, character) = entity.split_at(entity.find(';')? + 1);
        text.starts_with(name).then_some((character.chars().next()?, name.len()))
    })
}

/// The named entities of the characters of ASCII, each with its character.
const ENTITIES: [&str; 34] = [
    "amp;&", "lt;<", "gt;>", "quot;\"", "apos;'", "nbsp; ", "excl;!", "num;#", "dollar;$", "percnt;%",
    "lpar;(", "rpar;)", "ast;*", "plus;+", "comma;,", "period;.", "sol;/", "colon;:", "semi;;", "equals;=",
    "quest;?", "commat;@", "lsqb;[", "lbrack;[", "bsol;\\", "rsqb;]", "rbrack;]", "Hat;^", "lowbar;_",
    "grave;`", "lcub;{", "vert;|", "verbar;|", "rcub;}",
];
