"""Settings: defaults, TOML, and what a typo is answered with."""

import pytest

from pipeline.errors import SettingsError
from pipeline.settings import Settings, load_settings


def write(tmp_path, text):
    path = tmp_path / "office.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_no_file_means_the_defaults():
    assert load_settings(None) == Settings()


def test_a_section_changes_only_what_it_names(tmp_path):
    settings = load_settings(write(tmp_path, "[match]\naccuracy = 0.9\n"))
    assert settings.match.accuracy == 0.9
    assert settings.match.check_accuracy == Settings().match.check_accuracy
    assert settings.cluster == Settings().cluster


def test_a_whole_number_serves_where_a_fraction_is_asked_for(tmp_path):
    assert load_settings(write(tmp_path, "[match]\naccuracy = 1\n")).match.accuracy == 1.0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[match]\nacuracy = 0.9\n", "did you mean 'accuracy'?"),
        ("[matching]\naccuracy = 0.9\n", "did you mean 'match'?"),
        ("[match]\naccuracy = 'high'\n", "must be float"),
        ("[engine]\nbatch_rows = true\n", "must be int"),
        ("match = 3\n", "must be a section"),
        ("[match\n", "is not TOML"),
    ],
)
def test_a_mistake_is_named_with_its_file_and_a_way_out(tmp_path, text, told):
    with pytest.raises(SettingsError, match="office.toml") as caught:
        load_settings(write(tmp_path, text))
    assert told in str(caught.value)


def test_a_missing_file_says_which(tmp_path):
    with pytest.raises(SettingsError, match="absent.toml"):
        load_settings(tmp_path / "absent.toml")
