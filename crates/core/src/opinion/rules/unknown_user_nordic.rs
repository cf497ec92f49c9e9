//! There is no such mailbox, in the languages of the north of Europe.

use super::super::rule::Rule;
use super::HARD;
use crate::opinion::Fault;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "unknown-user-nordic",
        provider: "",
        class: HARD,
        fault: Fault::Recipient,
        patterns: &[
            "{anvandaren|anvandare|mottagaren|mottagare|adressen|adress|e-postadressen|e-postadress|postladan|brevladan\
             |kontot|brugeren\
             |bruger|modtageren|modtager|adresse|e-mail-adressen|mailadressen|mailadresse|e-mailadressen|postkassen|kontoen\
             |brukeren|bruker|mottakeren|mottaker|mottakaren|e-postadresse|postboksen|postboks|konto|mailboxen} ~ \
             {finns inte|finns ej\
             |existerar inte|okand|hittades inte|kunde inte hittas|inte hittas|ogiltig|saknas|har tagits bort|findes ikke\
             |eksisterer ikke|ukendt|blev ikke fundet|kunne ikke findes|ikke fundet|ugyldig|er slettet|finnes ikke|ukjent\
             |ble ikke funnet|ikke funnet|kunne ikke finnes|finst ikkje|er nedlagt}*",
            "{okand|okant|ogiltig|ukendt|ugyldig|ukjent|ingen saadan|ingen sadan|ingen slik|ingen sadan} {anvandare\
             |mottagare|adress\
             |konto|e-postadress|bruger|modtager|adresse|mailadresse|bruker|mottaker|e-postadresse|mailboks}",
            "{gick inte att hitta|kunne ikke finde|fant ikke|det finns ingen} ~ {anvandare|mottagare|e-postadress|adress|bruger\
             |modtager|e-mail|bruker|mottaker|konto}*",
        ],
        examples: &[
            "550 Användaren finns inte",
            "550 Okänd mottagare",
            "550 Brugeren findes ikke",
            "550 Ukendt modtager",
            "550 E-postadressen b@example.no finnes ikke",
        ],
        near_misses: &["550 Avsändarens adress finns inte", "550 Afsenderens adresse findes ikke", "552 Brevlådan är full"],
    },
    Rule {
        id: "unknown-user-fi",
        provider: "",
        class: HARD,
        fault: Fault::Recipient,
        patterns: &[
            "{kayttaja|kayttajaa|vastaanottaja|vastaanottajaa|osoite|osoitetta|sahkopostiosoite|sahkopostiosoitetta|postilaatikko\
             |postilaatikkoa|tili|tilia} ~ {ei loydy|ei loytynyt|ei ole olemassa|tuntematon|ei tunneta|virheellinen|ei kelpaa\
             |ei ole voimassa|on poistettu}",
            "{tuntematon|virheellinen|olematon} {kayttaja|vastaanottaja|osoite|sahkopostiosoite|postilaatikko}",
        ],
        examples: &["550 Tuntematon vastaanottaja", "550 Käyttäjää ei löydy", "550 Osoitetta b@example.fi ei ole olemassa"],
        near_misses: &["550 Tuntematon lähettäjä", "550 Lähettäjän osoitetta ei löydy", "552 Postilaatikko on täynnä"],
    },
    Rule {
        id: "unknown-user-baltic",
        provider: "",
        class: HARD,
        fault: Fault::Recipient,
        patterns: &[
            "{kasutaja|kasutajat|adressaat|vartotojas|gavejas|adresas|lietotajs|sanemejs|adrese} ~ {ei leitud|ei \
             eksisteeri|tundmatu\
             |neegzistuoja|nerastas|nezinomas|neeksiste|nav atrasts|nav atrasta}",
            "{tundmatu|nezinomas|nezinams} {kasutaja|vartotojas|gavejas|lietotajs|sanemejs}",
        ],
        examples: &["550 Kasutajat ei leitud", "550 Vartotojas neegzistuoja", "550 Nezināms lietotājs"],
        near_misses: &["550 Saatja aadressi ei leitud"],
    },
];
