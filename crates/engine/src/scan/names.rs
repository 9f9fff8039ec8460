//! What names of tables and columns say, in several languages. Names are only ever a reason to look closer.

/// The words of a name, in lower case and without accents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) words: Vec<String>,
    /// All words without anything between them: `e_mail`, `eMail` and `email` are one name.
    pub(super) joined: String,
}

impl Name {
    /// Takes a name apart: at signs, at changes of case and of script; numbers at the end of a word say nothing.
    pub(super) fn of(text: &str) -> Self {
        let mut words = vec![String::new()];
        let mut before: Option<char> = None;
        for c in text.chars() {
            let apart = before.is_some_and(|before| {
                before.is_lowercase() && c.is_uppercase()
                    || before.is_ascii_alphabetic() != c.is_ascii_alphabetic()
                        && c.is_alphabetic()
                        && before.is_alphabetic()
                        && !is_accented(before)
                        && !is_accented(c)
            });
            if !c.is_alphanumeric() || apart {
                words.push(String::new());
            }
            if let (true, Some(word)) = (c.is_alphanumeric(), words.last_mut()) {
                c.to_lowercase().for_each(|c| word.push(plain(c)));
            }
            before = Some(c);
        }
        let words: Vec<String> = words
            .iter()
            .map(|word| word.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned())
            .filter(|word| !word.is_empty())
            .collect();
        let joined = words.concat();
        Self { words, joined }
    }

    /// The words of a table's name, without its schema.
    pub(super) fn of_table(name: &str) -> Self {
        Self::of(name.rsplit_once('.').map_or(name, |(_, table)| table))
    }

    /// Tells whether a word, or the whole, stands in a list.
    pub(super) fn has(&self, list: &str) -> bool {
        self.is(list) || self.words.iter().any(|word| stands_in(word, list))
    }

    /// Tells whether the whole stands in a list.
    pub(super) fn is(&self, list: &str) -> bool {
        stands_in(&self.joined, list)
    }

    /// Tells whether a word, in the singular or plural, stands in a list of singulars.
    pub(super) fn speaks_of(&self, list: &str) -> bool {
        self.words.iter().chain([&self.joined]).any(|word| list.split_whitespace().any(|noun| same_noun(word, noun)))
    }

    pub(super) fn last(&self) -> &str {
        self.words.last().map_or("", String::as_str)
    }
}

/// Tells whether a word stands in a list of words.
pub(super) fn stands_in(word: &str, list: &str) -> bool {
    list.split_whitespace().any(|other| other == word)
}

/// Accented letters of Latin script belong to the words around them.
fn is_accented(c: char) -> bool {
    ('\u{c0}'..='\u{24f}').contains(&c)
}

fn plain(c: char) -> char {
    match c {
        'à'..='å' | 'ā' | 'ą' => 'a',
        'ç' | 'ć' | 'č' => 'c',
        'è'..='ë' | 'ē' | 'ę' | 'ě' => 'e',
        'ì'..='ï' | 'ı' => 'i',
        'ñ' | 'ń' => 'n',
        'ò'..='ö' | 'ø' | 'ő' => 'o',
        'ù'..='ü' | 'ű' | 'ů' => 'u',
        'ý' => 'y',
        'ś' | 'š' | 'ş' => 's',
        'ź' | 'ż' | 'ž' => 'z',
        'ł' => 'l',
        other => other,
    }
}

/// Tells whether two nouns are the same but for the plural.
pub(super) fn same_noun(one: &str, other: &str) -> bool {
    one == other || singular(one) == singular(other)
}

fn singular(noun: &str) -> String {
    match noun {
        "people" => "person".to_owned(),
        _ if noun.len() > 4 && noun.ends_with("ies") => format!("{}y", &noun[..noun.len() - 3]),
        _ if noun.ends_with("sses") || noun.ends_with("xes") || noun.ends_with("ches") => {
            noun[..noun.len() - 2].to_owned()
        }
        _ if noun.len() > 3 && noun.ends_with('s') && !noun.ends_with("ss") && !noun.ends_with("us") => {
            noun[..noun.len() - 1].to_owned()
        }
        _ => noun.to_owned(),
    }
}

/// Tables of people, in the singular where a plural ends in `s`.
pub(super) const PERSONS: &str = "user account customer member person client patient student employee subscriber player guest benutzer nutzer \
    kunde kunden mitglied mitglieder personen teilnehmer utilisateur membre personne abonne adherent usuario \
    cliente persona socio utente utenti clienti persone utilizador pessoa gebruiker klant klanten uzytkownik \
    uzytkownicy klient klienci osoba osoby kullanici musteri anvandare пользователь пользователи клиент клиенты \
    люди χρήστης χρήστες πελάτες 用户 客户 会员 ユーザー 顧客 会員 利用者";

/// Those whose row something is, when a column names them.
pub(super) const OWNERS: &str = "user author owner customer client member account person sender from buyer purchaser payer subscriber profile \
    patient student employee player poster writer uploader submitter requester reporter follower liker voter \
    guest holder participant attendee actor visitor applicant borrower renter benutzer nutzer kunde kunden \
    mitglied verfasser autor absender besitzer eigentumer auteur utilisateur usuario cliente propietario \
    remitente utente autore gebruiker klant uzytkownik пользователь автор клиент владелец 作者 用户 用户名 客户 会员 ユーザー \
    著者 投稿者 顧客 会員";

/// Those who had to do with something that is, or may be, somebody else's.
pub(super) const OTHERS: &str = "recipient receiver to addressee assignee assigned approver approved reviewer reviewed moderator moderated \
    editor edited updater updated modifier modified deleter deleted banned inviter invited referrer referred \
    parent manager supervisor admin agent handler closed locked verified verifier processed seller followee \
    followed friend blocked target mentioned last created creator partner empfanger bearbeiter destinataire \
    destinatario получатель 受信者 収件人 收件人";

/// Names of bookkeeping, which laws may oblige to keep.
pub(super) const BOOKKEEPING: &str = "invoice bill billing receipt payment order refund charge payout transaction ledger purchase sale rechnung \
    rechnungen beleg zahlung zahlungen bestellung bestellungen facture paiement commande factura pago pedido \
    fattura fatture pagamento ordine fatura faktura faktury bestelling factuur заказ заказы платеж счет 請求書 注文 \
    订单";

/// Columns that bookkeeping consists of.
pub(super) const FIGURES: &str = "number no nr num total subtotal amount sum price currency tax vat net gross paid issued due nummer betrag \
    summe wahrung mwst numero montant importe importo номер сумма 金額 番号";

/// Tables that hold texts or settings of the organisation.
pub(super) const OF_THE_HOUSE: &str = "template setting config configuration option migration store shop branch location country region city \
    company organisation organization tenant vendor supplier warehouse office department role permission product \
    category tag";

/// Tables that keep copies of things in a form of their own.
pub(super) const SERIALISED: &str = "session audit log history version event job queue outbox inbox cache webhook notification snapshot export \
    import backup archive protokoll journal";

/// Tables of logins and profiles: an identity in them is one of the person who owns the row.
pub(super) const LOGINS: &str = "login identity identities social oauth credential provider auth sso connection socialaccount socialauth \
    usersocialauth profile userprofile emailaddress";

/// Returns what a column's name says that it holds of a person.
pub(super) fn personal(name: &Name) -> Option<&'static str> {
    let about = ABOUT.iter().find(|(_, list)| name.is(list)).map(|(what, _)| *what);
    let of_somebody = || {
        let named = matches!(name.last(), "name" | "names");
        named
            && name.words.len() > 1
            && (name.has(OWNERS) || name.has(OTHERS) || name.speaks_of(PERSONS) || name.has("contact"))
    };
    // The end of a name says what it is: `billing_street`, `customer_email`, `last_login_ip`.
    let tail = |words: usize| {
        let from = name.words.len().checked_sub(words)?;
        let tail = name.words[from..].concat();
        ABOUT.iter().find(|(_, list)| stands_in(&tail, list)).map(|(what, _)| *what)
    };
    about.or_else(|| tail(3)).or_else(|| tail(2)).or_else(|| tail(1)).or_else(|| of_somebody().then_some("name"))
}

/// Joined names of columns, by what they hold.
const ABOUT: &[(&str, &str)] = &[
    (
        "name",
        "firstname lastname surname fullname givenname familyname middlename maidenname realname displayname \
         nickname username userlogin vorname nachname familienname prenom nomfamille nomcomplet apellido \
         apellidos nombrecompleto cognome sobrenome apelido voornaam achternaam imie nazwisko имя фамилия \
         отчество όνομα επώνυμο 姓名 氏名 名前 お名前",
    ),
    (
        "e-mail address",
        "email mail emailaddress mailaddress mailadresse emailadresse adressemail courriel correo \
         correoelectronico eposta почта メール メールアドレス 邮箱 电子邮件",
    ),
    (
        "telephone number",
        "phone phonenumber mobile mobilenumber mobilephone cell cellphone telephone tel telefon telefonnummer \
         handynummer mobilnummer telefono telefone celular telefoon msisdn fax телефон 電話 電話番号 电话 手机",
    ),
    (
        "postal address",
        "address addressline streetaddress street postaladdress zipcode postcode postalcode anschrift adresse \
         strasse straße hausnummer plz postleitzahl codepostal rue direccion calle codigopostal indirizzo \
         endereco adres straat ulica адрес улица διεύθυνση 住所 地址",
    ),
    ("IP address", "ip ipaddress ipaddr ipv remoteaddr remoteip clientip userip hostip xforwardedfor"),
    ("device", "useragent deviceid fingerprint advertisingid idfa gaid macaddress pushtoken devicetoken"),
    (
        "birth or sex",
        "birthday birthdate dateofbirth dob birth geburtsdatum geburtstag datenaissance fechanacimiento \
         datadinascita datanascimento geboortedatum gender sex geschlecht sexe genero 生年月日 性別 出生日期",
    ),
    (
        "official number or account",
        "ssn socialsecuritynumber nationalid passport passportnumber taxid steuernummer iban cardnumber \
         creditcard cpf dni nif pesel bsn ausweisnummer 身份证",
    ),
    ("health, faith or origin", "diagnosis medication bloodtype allergies religion ethnicity disability diagnose"),
    ("password", "password passwd passwordhash passworddigest encryptedpassword userpass hashedpassword passwort"),
    ("place", "latitude longitude geolocation gps lastlocation"),
    ("platform id", "facebookid fbid asid psid igsid instagramid googleid appleid twitterid telegramid whatsappid"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart_whatever_the_habit() {
        let words = |text: &str| Name::of(text).words.join(" ");
        let table = [
            ("comment_post_ID", "comment post id"),
            ("facebookUserId", "facebook user id"),
            ("E-Mail Adresse", "e mail adresse"),
            ("作者ID", "作者 id"),
            ("Größe", "große"),
            ("address2", "address"),
        ];
        for (text, expected) in table {
            assert_eq!(words(text), expected);
        }
        assert!(same_noun("users", "user") && same_noun("companies", "company") && same_noun("people", "person"));
        assert!(same_noun("addresses", "address") && !same_noun("status", "statu"));
    }

    #[test]
    fn names_of_personal_columns_are_known_in_several_languages() {
        let says = |text: &str| personal(&Name::of(text));
        let table = [
            ("billing_email", Some("e-mail address")),
            ("Téléphone", Some("telephone number")),
            ("Geburtsdatum", Some("birth or sex")),
            ("last_login_ip", Some("IP address")),
            ("customer_name", Some("name")),
            ("住所", Some("postal address")),
            ("name", None),
            ("product_name", None),
            ("email_verified_at", None),
            ("zip_file", None),
            ("total", None),
        ];
        for (text, expected) in table {
            assert_eq!(says(text), expected, "{text}");
        }
    }
}
