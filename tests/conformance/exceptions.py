"""What a judge may say without failing a letter, each with the reason. All of it is printed in docs/conformance.md."""

# Layout by tables and style attributes is what mail programs understand; html-validate judges web pages.
NOT_FOR_MAIL = {
    "no-inline-style": "Style attributes are the only styles that every mail program keeps.",
    "no-deprecated-attr": "Outlook draws by width, align, bgcolor and cellpadding.",
    "prefer-native-element": "Mail programs drop <article>; role=article on the wrapper stays.",
}
# A mail is shown inside the landmarks of the mail program, so it brings none of its own.
NOT_A_PAGE = {
    "landmark-one-main": "The mail program has the main landmark; a second one would confuse.",
    "region": "The whole mail is in a region of the mail program.",
}
# What caniemail calls supported in part, and why a letter uses it all the same.
PARTLY_SUPPORTED = {
    "list-style": "Only a picture as a bullet is not known; a letter has none.",
    "mailto: links": "Only a second recipient in the address (cc, bcc) is not known; a letter names none.",
    "<ul>, <ol> and <dl>": "Lists lose their own bullets and indents in places, never their words or order.",
    "letter-spacing": "Windows Outlook draws the digits of a code closer together; the code is the same.",
}
# What caniemail calls not supported beyond the frame, and why a letter uses it all the same.
UNSUPPORTED = {
    "aria-hidden attribute": "A pull quote repeats words of the text; where this is dropped they are read aloud twice.",
}
# These follow from where the tests run: a site on this machine, and mail that has not travelled.
OF_THE_PLACE = {
    "NO_RECEIVED": "The letter has not travelled.",
    "NO_RELAYS": "The letter has not travelled.",
    "WEIRD_PORT": "The site of the tests has a port of its own.",
    "NORMAL_HTTP_TO_IP": "The site of the tests is 127.0.0.1.",
    "NUMERIC_HTTP_ADDR": "The site of the tests is 127.0.0.1.",
}
# These say what the message is, and cost nothing (T_ is a rule on trial).
HARMLESS = {
    "HTML_MESSAGE": "It has an HTML part.",
    "MAILING_LIST_MULTI": "It is from a mailing list, which earns a point.",
    "T_REMOTE_IMAGE": "The logo is fetched from the site.",
    "HTML_IMAGE_RATIO_04": "The golden post has a picture for each way there is to show one.",
}

EVERY = (
    ("html-validate", NOT_FOR_MAIL),
    ("axe-core", NOT_A_PAGE),
    ("caniemail", UNSUPPORTED | PARTLY_SUPPORTED),
    ("SpamAssassin", OF_THE_PLACE | HARMLESS),
)
