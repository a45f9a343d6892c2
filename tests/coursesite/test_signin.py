"""The sign-in page says what to type, also when something has been typed."""

from __future__ import annotations

import pytest
from django.test import Client


@pytest.mark.django_db
@pytest.mark.parametrize(("lang", "label"), [("en", "User name or e-mail address"), ("ko", "아이디 또는 이메일 주소")])
def test_the_name_field_is_labelled_in_the_pages_language(client: Client, lang: str, label: str) -> None:
    page = client.get(f"/{lang}/accounts/login/").content.decode()
    assert f'<label for="id_login">{label}</label>' in page
    assert "placeholder=" not in page.split('id="id_login"')[1].split(">")[0]
