//! The pieces of a line: words, quoted or not, and braces.

/// A piece of a line; words with whether they were quoted.
#[derive(Debug, PartialEq)]
pub(super) enum Token {
    Open,
    Close,
    Word(Vec<u8>, bool),
}

/// The pieces of a line up to its comment. Blanks and commas part them.
pub(super) fn tokens(text: &[u8]) -> Result<Vec<Token>, String> {
    let parts = |byte: u8| byte.is_ascii_whitespace() || matches!(byte, b',' | b'{' | b'}');
    let (mut tokens, mut at) = (Vec::new(), 0);
    while let Some(&byte) = text.get(at) {
        at += 1;
        match byte {
            b'{' => tokens.push(Token::Open),
            b'}' => tokens.push(Token::Close),
            b',' => {}
            b'%' => break,
            quote @ (b'"' | b'\'') => {
                let mut word = Vec::new();
                loop {
                    match text.get(at) {
                        None => return Err("a quote does not end".into()),
                        Some(&end) if end == quote => break,
                        Some(b'\\') if at + 1 < text.len() => {
                            at += 1;
                            word.push(match text[at] {
                                b'n' => b'\n',
                                b't' => b'\t',
                                b'r' => b'\r',
                                other => other,
                            });
                        }
                        Some(&other) => word.push(other),
                    }
                    at += 1;
                }
                at += 1;
                tokens.push(Token::Word(word, true));
            }
            _ if byte.is_ascii_whitespace() => {}
            _ => {
                let length = text[at..].iter().position(|&byte| parts(byte)).unwrap_or(text.len() - at);
                tokens.push(Token::Word(text[at - 1..at + length].to_vec(), false));
                at += length;
            }
        }
    }
    Ok(tokens)
}
