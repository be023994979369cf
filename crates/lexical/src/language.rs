//! Tells the language of a text, of those that have a stemmer.

use icu_properties::CodePointMapData;
use icu_properties::props::Script;
use tantivy::tokenizer::{Language, RawTokenizer, StopWordFilter, TextAnalyzer};

use crate::analysis::LANGUAGES;
use crate::lower::Lower;
use crate::words::{Words, process};

/// Frequent words of the languages in the Latin script whose stop words tantivy lacks.
const FREQUENT: [(Language, &[&str]); 2] = [
    (
        Language::Romanian,
        &[
            "și", "de", "la", "în", "cu", "nu", "este", "sunt", "pe", "din", "care", "pentru",
            "sau", "mai", "după", "dacă", "o", "un", "a", "al", "se", "să", "cum", "până", "ați",
            "trebuie",
        ],
    ),
    (
        Language::Turkish,
        &[
            "ve", "bir", "bu", "için", "ile", "da", "de", "ne", "nasıl", "olarak", "çok", "en",
            "gibi", "daha", "sonra", "kadar", "değil", "mi", "mı", "var", "yok", "olan", "her",
            "veya", "ise",
        ],
    ),
];
/// The languages in other scripts, each the only one with a stemmer.
const SCRIPTS: [(Language, Script); 3] = [
    (Language::Arabic, Script::Arabic),
    (Language::Greek, Script::Greek),
    (Language::Tamil, Script::Tamil),
];
/// Letters of Persian, Urdu and others that Arabic lacks.
const NOT_ARABIC: &str = "پچژگکیے";
/// Frequent words that a text must have, and their share of its words: a third of English is
/// its 33 stop words.
const FEW: usize = 3;
const SHARE: f64 = 0.18;

/// Tells languages by their stop words (Grefenstette, "Comparing two language identification
/// schemes", 1995), as good as trigrams from a sentence on, and by their scripts.
pub(crate) struct Languages {
    words: Words,
    /// What leaves of a word nothing if it is a stop word.
    stop_words: Vec<(Language, TextAnalyzer)>,
}

impl Languages {
    pub fn new() -> Self {
        let stop_words = LANGUAGES.into_iter().filter_map(|(_, language)| {
            let frequent = FREQUENT.iter().find(|(of, _)| *of == language);
            let filter = match frequent {
                Some((_, words)) => {
                    StopWordFilter::remove(words.iter().map(|word| (*word).to_owned()))
                }
                None => StopWordFilter::new(language)?,
            };
            let turkish = language == Language::Turkish;
            let word = TextAnalyzer::builder(RawTokenizer::default()).filter(Lower { turkish });
            Some((language, word.filter(filter).build()))
        });
        Self {
            words: Words::default(),
            stop_words: stop_words.collect(),
        }
    }

    /// Returns the language of a text, if it can be told.
    pub fn of(&mut self, text: &str) -> Option<Language> {
        let mut words = Vec::new();
        process(&mut self.words, text, |word| words.push(word.to_owned()));
        if words.len() < FEW {
            return None;
        }
        if let Some(language) = of_script(text) {
            return Some(language);
        }
        let mut best: Option<(usize, Language)> = None;
        let mut is_tied = false;
        for (language, stop_words) in &mut self.stop_words {
            let is_stop_word = |word: &&String| !stop_words.token_stream(word).advance();
            let count = words.iter().filter(is_stop_word).count();
            match best {
                Some((most, _)) if count < most => {}
                Some((most, _)) if count == most => is_tied = true,
                _ => (best, is_tied) = (Some((count, *language)), false),
            }
        }
        let (count, language) = best.filter(|_| !is_tied)?;
        let is_enough = count >= FEW && count as f64 >= SHARE * words.len() as f64;
        is_enough.then_some(language)
    }
}

fn of_script(text: &str) -> Option<Language> {
    let scripts = CodePointMapData::<Script>::new();
    let mut letters = 0;
    let mut of = [0; SCRIPTS.len()];
    for letter in text.chars().filter(|letter| letter.is_alphabetic()) {
        letters += 1;
        let script = scripts.get(letter);
        for (count, (_, its)) in of.iter_mut().zip(SCRIPTS) {
            *count += usize::from(script == its);
        }
    }
    let most = SCRIPTS
        .into_iter()
        .zip(of)
        .find(|(_, count)| 2 * count > letters);
    let ((language, _), _) = most?;
    let is_other =
        language == Language::Arabic && text.contains(|letter| NOT_ARABIC.contains(letter));
    (!is_other).then_some(language)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_tell_their_language() {
        use Language::*;
        let sentences = [
            (
                English,
                "How do I reset the password of my account if the mail is not sent to me?",
            ),
            (
                German,
                "Wie setze ich das Passwort für mein Konto zurück, wenn die Mail nicht ankommt?",
            ),
            (
                French,
                "Comment réinitialiser le mot de passe de mon compte si le courriel ne vient pas ?",
            ),
            (
                Spanish,
                "¿Cómo restablezco la contraseña de mi cuenta si el correo no me llega?",
            ),
            (
                Portuguese,
                "Como faço para redefinir a senha da minha conta se o email não chegar?",
            ),
            (
                Italian,
                "Come posso reimpostare la password del mio account se la mail non arriva?",
            ),
            (
                Dutch,
                "Hoe stel ik het wachtwoord van mijn account opnieuw in als de mail niet komt?",
            ),
            (
                Swedish,
                "Hur återställer jag lösenordet till mitt konto om mejlet inte kommer till mig?",
            ),
            (
                Danish,
                "Hvad skal jeg gøre, hvis jeg ikke kan logge ind, og mailen ikke bliver sendt efter nogle timer?",
            ),
            (
                Finnish,
                "Miten vaihdan tilini salasanan, jos viesti ei ole tullut minulle ja en voi kirjautua?",
            ),
            (
                Hungarian,
                "Hogyan állítsam vissza a fiókom jelszavát, ha nem jön meg az a levél és nem tudok belépni?",
            ),
            (
                Russian,
                "Как мне сбросить пароль для моей учётной записи, если письмо так и не пришло?",
            ),
            (
                Turkish,
                "E-posta gelmezse hesabımın şifresini nasıl sıfırlarım ve bu iş için ne kadar beklerim?",
            ),
            (
                Romanian,
                "Cum resetez parola de la contul meu dacă nu primesc mesajul în căsuța mea și nu pot intra?",
            ),
            (
                Greek,
                "Πώς αλλάζω τον κωδικό του λογαριασμού μου αν δεν έρθει το μήνυμα;",
            ),
            (Arabic, "كيف أعيد تعيين كلمة المرور إذا لم تصل الرسالة؟"),
            (Tamil, "என் கணக்கின் கடவுச்சொல்லை எப்படி மாற்றுவது?"),
        ];
        let mut languages = Languages::new();
        for (language, sentence) in sentences {
            assert_eq!(languages.of(sentence), Some(language), "{sentence}");
        }
    }

    #[test]
    fn other_languages_and_what_is_no_language_are_not_told() {
        let mut languages = Languages::new();
        for text in [
            "Jak zresetować hasło do mojego konta, jeśli wiadomość nie dotarła?",
            "چگونه گذرواژه حساب کاربری خود را بازنشانی کنم؟",
            "请问如何重置我的账户密码？",
            "find . -name '*.txt' -exec grep -l foo {} +",
            "ls -R",
            "",
        ] {
            assert_eq!(languages.of(text), None, "{text}");
        }
    }
}
