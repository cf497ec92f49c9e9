//! What could make a matcher slow, each a piece to repeat.

/// A name, and the piece.
pub(crate) const PIECES: [(&str, &str); 26] = [
    // Phrases without their ends, and patterns without their last part, over and over.
    ("phrases without ends", "user unknow "),
    ("patterns without ends", "user mailbox recipient "),
    ("many beginnings", "the user you your account this mailbox no such does not recipient address "),
    ("Russian beginnings", "пользователь не "),
    ("Chinese beginnings", "邮件帐户收件人不存"),
    ("chains that end", "user is not a mailbox was not here account has been "),
    ("one rule again and again", "no such user "),
    ("rules of all kinds", "spam mailbox full relay denied try later host not found no such user "),
    // What is unwrapped.
    ("continuation lines", "550-5.1.1 we\r\n"),
    ("continuations alone", "550-"),
    ("relays' prefixes", "smtp;550 host mx1.example.net[192.0.2.1] said: "),
    ("enhanced codes", "5.1.1 450 "),
    ("a thousand codes", "5.1.1 5.1.2 4.2.2 5.7.1 "),
    ("codes that repeat", "550 5.1.1 "),
    ("addresses", "<a.b@mx.example> "),
    ("signs of addresses", "@"),
    ("an address without an end", "a.b-c_d"),
    ("URLs", "https://x.example/a?b=1&c#d "),
    ("a URL without an end", "http://a/:"),
    // What is decoded, and what folds.
    ("quoted-printable", "=C3=A9=20=0A=E2=80=99"),
    ("half of quoted-printable", "=C3=A=E2=80="),
    ("base64", "dXNlciB1bmtub3duIG5vIHN1Y2g"),
    ("one long word", "a"),
    ("accents apart", "e\u{301}\u{302}\u{303}"),
    ("letters of more bytes", "łßộأＵ🙂Ⱥ"),
    ("signs between words", "'.-\\n\"`_+"),
];
