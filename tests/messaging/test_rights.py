from messaging.rights import PAGE, render


def test_the_page_is_up_to_date():
    page = PAGE.read_text(encoding="utf-8")
    assert page == render(page), "run `python -m messaging`"
