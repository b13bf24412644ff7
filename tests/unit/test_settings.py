import dataclasses
import re
from pathlib import Path

import pytest

from clipviewer.errors import StartupError
from clipviewer.settings import DOCUMENTED, Settings, load_settings

README = Path(__file__).parents[2] / "README.md"
LONG_KEY = "correct-horse-battery-staple-0123456789"


def test_no_setting_is_required(tmp_path: Path) -> None:
    settings = load_settings({}, tmp_path)
    assert settings.embedded
    assert settings.bucket == "clipviewer"
    assert settings.data_dir == tmp_path / ".clipviewer"
    assert settings.database_url == f"sqlite:///{tmp_path / '.clipviewer' / 'clipviewer.db'}"
    assert (settings.host, settings.port, settings.url_ttl, settings.demo) == ("127.0.0.1", 3000, 3600, True)


def test_every_setting_is_taken_from_its_variable(tmp_path: Path) -> None:
    settings = load_settings(
        {
            "CLIPVIEWER_DATA_DIR": "data",
            "CLIPVIEWER_DATABASE_URL": "postgres://db/clips",
            "CLIPVIEWER_S3_BUCKET": "footage",
            "CLIPVIEWER_S3_PREFIX": "team/",
            "CLIPVIEWER_S3_ENDPOINT_URL": "http://minio:9000/",
            "CLIPVIEWER_S3_PUBLIC_ENDPOINT_URL": "https://media.example.org",
            "CLIPVIEWER_S3_REGION": "ap-south-1",
            "CLIPVIEWER_URL_TTL": "20",
            "CLIPVIEWER_SECRET_KEY": f"{LONG_KEY}, {LONG_KEY[::-1]}",
            "CLIPVIEWER_PUBLIC_URL": "https://clips.example.org/",
            "CLIPVIEWER_TRUSTED_PROXIES": "10.0.0.2, 10.1.0.0/16,2001:db8::/32",
            "CLIPVIEWER_HOST": "0.0.0.0",
            "CLIPVIEWER_PORT": "8080",
            "CLIPVIEWER_REDIS_URL": "redis://cache",
            "CLIPVIEWER_FFMPEG": "/opt/ffmpeg",
            "CLIPVIEWER_DEMO": "off",
            "CLIPVIEWER_ADMIN_EMAIL": "a@example.org",
            "CLIPVIEWER_ADMIN_PASSWORD": "a long enough password",
            "CLIPVIEWER_TRANSLATE_URL": "http://translate:5000/",
            "CLIPVIEWER_TRANSLATE_KEY": "a key",
            "CLIPVIEWER_LLM_URL": "http://llm:8000/v1/",
            "CLIPVIEWER_LLM_KEY": "another key",
            "CLIPVIEWER_LLM_MODEL": "small",
        },
        tmp_path,
    )
    assert settings == Settings(
        data_dir=tmp_path / "data",
        database_url="postgresql+psycopg://db/clips",
        s3_bucket="footage",
        s3_prefix="team/",
        s3_endpoint_url="http://minio:9000",
        s3_public_endpoint_url="https://media.example.org",
        s3_region="ap-south-1",
        url_ttl=20,
        secret_key=f"{LONG_KEY},{LONG_KEY[::-1]}",
        public_url="https://clips.example.org",
        trusted_proxies=("10.0.0.2/32", "10.1.0.0/16", "2001:db8::/32"),
        host="0.0.0.0",
        port=8080,
        redis_url="redis://cache",
        ffmpeg="/opt/ffmpeg",
        demo=False,
        admin_email="a@example.org",
        admin_password="a long enough password",
        translate_url="http://translate:5000",
        translate_key="a key",
        llm_url="http://llm:8000/v1",
        llm_key="another key",
        llm_model="small",
    )
    assert not settings.embedded
    assert len(dataclasses.fields(Settings)) == len(DOCUMENTED)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CLIPVIEWER_DATABASE_URL", "mysql://db"),
        ("CLIPVIEWER_S3_ENDPOINT_URL", "minio:9000"),
        ("CLIPVIEWER_S3_PUBLIC_ENDPOINT_URL", "https://user:pass@host"),
        ("CLIPVIEWER_URL_TTL", "19"),
        ("CLIPVIEWER_URL_TTL", "3601"),
        ("CLIPVIEWER_URL_TTL", "1e3"),
        ("CLIPVIEWER_URL_TTL", "²"),
        ("CLIPVIEWER_SECRET_KEY", "short"),
        ("CLIPVIEWER_SECRET_KEY", "x" * 64),
        ("CLIPVIEWER_SECRET_KEY", f"{LONG_KEY},short"),
        ("CLIPVIEWER_PUBLIC_URL", "clips.example.org"),
        ("CLIPVIEWER_PUBLIC_URL", "https://[broken"),
        ("CLIPVIEWER_TRUSTED_PROXIES", "nginx"),
        ("CLIPVIEWER_TRUSTED_PROXIES", "10.0.0.1/8"),
        ("CLIPVIEWER_TRUSTED_PROXIES", "10.0.0.1,"),
        ("CLIPVIEWER_TRUSTED_PROXIES", "*"),
        ("CLIPVIEWER_PORT", "0"),
        ("CLIPVIEWER_PORT", "65536"),
        ("CLIPVIEWER_PORT", "http"),
        ("CLIPVIEWER_DEMO", "perhaps"),
        ("CLIPVIEWER_ADMIN_EMAIL", "a@example.org"),
        ("CLIPVIEWER_ADMIN_PASSWORD", "a long enough password"),
        ("CLIPVIEWER_SECRET_KEY_FILE", "/does/not/exist"),
        ("CLIPVIEWER_S3_BUKET", "footage"),
        ("CLIPVIEWER_TRANSLATE_URL", "translate:5000"),
        ("CLIPVIEWER_TRANSLATE_KEY", "a key"),
        ("CLIPVIEWER_LLM_URL", "llm:8000"),
        ("CLIPVIEWER_LLM_URL", "http://llm:8000/v1"),
        ("CLIPVIEWER_LLM_MODEL", "small"),
        ("CLIPVIEWER_LLM_KEY", "a key"),
    ],
)
def test_a_wrong_value_is_one_sentence_that_names_the_variable(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(StartupError) as caught:
        load_settings({name: value, "CLIPVIEWER_S3_BUCKET": "footage"}, tmp_path)
    sentence = caught.value.detail
    assert name in sentence
    assert re.fullmatch(r"[^\n]+[^.\n]\.", sentence)
    assert "x" * 64 not in sentence
    assert LONG_KEY not in sentence


def test_proxies_are_trusted_on_this_machine_unless_others_are_named(tmp_path: Path) -> None:
    assert load_settings({}, tmp_path).trusted_proxies == ("127.0.0.0/8", "::1/128")
    assert load_settings({"CLIPVIEWER_TRUSTED_PROXIES": "10.0.0.2"}, tmp_path).trusted_proxies == ("10.0.0.2/32",)


def test_an_endpoint_without_a_bucket_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="CLIPVIEWER_S3_BUCKET"):
        load_settings({"CLIPVIEWER_S3_ENDPOINT_URL": "http://minio:9000"}, tmp_path)


def test_a_secret_can_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{LONG_KEY}\n")
    settings = load_settings({"CLIPVIEWER_SECRET_KEY_FILE": str(tmp_path / "key")}, tmp_path)
    assert settings.secret_key == LONG_KEY


def test_a_file_and_a_value_for_the_same_secret_are_refused(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(LONG_KEY)
    with pytest.raises(StartupError, match="CLIPVIEWER_SECRET_KEY and CLIPVIEWER_SECRET_KEY_FILE"):
        load_settings({"CLIPVIEWER_SECRET_KEY": LONG_KEY, "CLIPVIEWER_SECRET_KEY_FILE": str(tmp_path / "key")}, tmp_path)


def test_an_empty_secret_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("\n")
    with pytest.raises(StartupError, match="CLIPVIEWER_SECRET_KEY_FILE"):
        load_settings({"CLIPVIEWER_SECRET_KEY_FILE": str(tmp_path / "key")}, tmp_path)


def test_an_empty_variable_counts_as_unset(tmp_path: Path) -> None:
    assert load_settings({"CLIPVIEWER_PORT": "", "CLIPVIEWER_S3_BUCKET": " "}, tmp_path) == load_settings({}, tmp_path)


def test_the_environment_wins_over_the_env_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("CLIPVIEWER_PORT=4000\nCLIPVIEWER_HOST=0.0.0.0\n")
    settings = load_settings({"CLIPVIEWER_PORT": "5000"}, tmp_path)
    assert (settings.port, settings.host) == (5000, "0.0.0.0")


@pytest.mark.parametrize("name", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_the_region_falls_back_to_the_one_of_aws(tmp_path: Path, name: str) -> None:
    assert load_settings({name: "eu-west-3"}, tmp_path).s3_region == "eu-west-3"
    assert load_settings({name: "eu-west-3", "CLIPVIEWER_S3_REGION": "eu-west-1"}, tmp_path).s3_region == "eu-west-1"


def test_secrets_stay_out_of_the_printed_settings(tmp_path: Path) -> None:
    environ = {
        "CLIPVIEWER_SECRET_KEY": LONG_KEY,
        "CLIPVIEWER_DATABASE_URL": "postgresql://u:hidden-word@db/x",
        "CLIPVIEWER_REDIS_URL": "redis://:hidden-word@cache",
        "CLIPVIEWER_ADMIN_EMAIL": "a@example.org",
        "CLIPVIEWER_ADMIN_PASSWORD": "hidden-word",
        "CLIPVIEWER_TRANSLATE_URL": "http://translate:5000",
        "CLIPVIEWER_TRANSLATE_KEY": "hidden-word",
        "CLIPVIEWER_LLM_URL": "http://llm:8000/v1",
        "CLIPVIEWER_LLM_MODEL": "small",
        "CLIPVIEWER_LLM_KEY": "hidden-word",
    }
    printed = repr(load_settings(environ, tmp_path))
    assert LONG_KEY not in printed
    assert "hidden-word" not in printed


def test_the_readme_lists_exactly_these_settings() -> None:
    rows = re.findall(r"^\| `(CLIPVIEWER_\w+)` \| (.*?) \| (.*?) \|$", README.read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == [(row.name, row.default, row.meaning) for row in DOCUMENTED]
