//! Tokens: pieces of the text, in order and without gaps.
//!
//! Rule: the tokens of a text cover every byte of it exactly once, whatever the text is.

use crate::diagnostic::Span;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// Blanks, line ends, a byte order mark at the start.
    Whitespace,
    /// `-- ...` or `// ...` up to, not including, the line end.
    LineComment,
    /// `/* ... */`, not a hint.
    BlockComment,
    /// `/*+`, which opens a hint.
    HintOpen,
    /// The `*/` that closes a hint.
    HintClose,
    /// A name without quotes or a keyword; the parser tells them apart.
    Word,
    /// A name in backquotes.
    Quoted,
    /// Text in double quotes, which Flink does not accept as a name.
    DoubleQuoted,
    /// A string in single quotes, with its prefix (`N`, `U&`, `_charset`, `E`) if there is one.
    String,
    /// `X'...'`.
    Bytes,
    /// A whole number.
    Integer,
    /// A number with a point, no exponent.
    Decimal,
    /// A number with an exponent.
    Approximate,
    /// `${...}`, `{{ ... }}`, `{% ... %}` or `{# ... #}`: text that another tool replaces before Flink sees it.
    Template,
    /// An operator or a bracket.
    Symbol(Symbol),
    /// A literal, quoted name or comment whose end is missing; reaches to where it could end at the latest.
    Unterminated,
    /// A character that means nothing in Flink SQL.
    Unknown,
}

impl TokenKind {
    /// True for what stands between the words: blanks and comments.
    pub const fn is_trivia(self) -> bool {
        matches!(self, Self::Whitespace | Self::LineComment | Self::BlockComment)
    }
}

macro_rules! symbols {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// Operators and brackets.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Symbol { $($(#[$doc])* $name,)* }

        impl Symbol {
            /// Every symbol, longer ones before their prefixes.
            pub(crate) const ALL: &'static [Symbol] = &[$(Symbol::$name,)*];

            /// The symbol as it is written.
            pub const fn text(self) -> &'static str {
                match self { $(Symbol::$name => $text,)* }
            }
        }
    };
}

symbols! {
    /// `<>`
    NotEqual = "<>",
    /// `!=`, which Flink rejects
    BangEqual = "!=",
    /// `<=`
    LessEqual = "<=",
    /// `>=`
    GreaterEqual = ">=",
    /// `||`
    Concat = "||",
    /// `=>`
    FatArrow = "=>",
    /// `->`
    Arrow = "->",
    /// `::`, which Flink rejects
    DoubleColon = "::",
    /// `{-`, in patterns
    ExcludeOpen = "{-",
    /// `-}`, in patterns
    ExcludeClose = "-}",
    /// `=`
    Equal = "=",
    /// `<`
    Less = "<",
    /// `>`
    Greater = ">",
    /// `(`
    LeftParen = "(",
    /// `)`
    RightParen = ")",
    /// `[`
    LeftBracket = "[",
    /// `]`
    RightBracket = "]",
    /// `{`
    LeftBrace = "{",
    /// `}`
    RightBrace = "}",
    /// `,`
    Comma = ",",
    /// `;`
    Semicolon = ";",
    /// `.`
    Dot = ".",
    /// `:`
    Colon = ":",
    /// `?`
    Question = "?",
    /// `+`
    Plus = "+",
    /// `-`
    Minus = "-",
    /// `*`
    Star = "*",
    /// `/`
    Slash = "/",
    /// `%`
    Percent = "%",
    /// `|`
    Bar = "|",
    /// `^`
    Caret = "^",
    /// `&`
    Ampersand = "&",
    /// `~`
    Tilde = "~",
    /// `@`
    At = "@",
}

/// One piece of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Where it is.
    pub span: Span,
}

impl Token {
    /// The token's text; `text` is the text that was lexed.
    pub fn text<'a>(&self, text: &'a str) -> &'a str {
        self.span.of(text)
    }
}
