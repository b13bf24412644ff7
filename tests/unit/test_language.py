import pytest

from clipviewer.domain.language import language_name, parse_language


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("en", "English"),
        ("original", "Original"),
        ("pt-BR", "Portuguese (BR)"),
        ("zh-Hant", "Chinese (Hant)"),
        ("es-419", "Spanish (419)"),
        ("zh-Hant-TW", "Chinese (Hant-TW)"),
        ("gsw", "gsw"),
        ("tlh-KL", "tlh-KL"),
    ],
)
def test_a_language_is_stored_as_a_tag_and_shown_by_name(tag: str, name: str) -> None:
    assert parse_language(tag) == tag
    assert language_name(tag) == name


@pytest.mark.parametrize("value", ["", "e", "EN", "en_US", "en-us", "english", "en-", "-en", "en\n", "en-USA", "ёл", "en; drop table"])
def test_an_invalid_language_tag_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="not a valid language tag"):
        parse_language(value)
