from producer.files.paths import PathFilter


def test_temporary_and_hidden_files_are_not_wanted() -> None:
    wanted = PathFilter()
    assert wanted.file("a/b.txt")
    assert wanted.file("README")
    for name in (".hidden", "a.txt~", "a.swp", "b.tmp", "c.part", "#a.txt#", "sub/.x"):
        assert not wanted.file(name)
    assert wanted.directory("sub")
    assert not wanted.directory(".git")


def test_globs() -> None:
    wanted = PathFilter(include=("*.txt", "docs/*.md"), exclude=("draft*", "docs/old/*"))
    assert wanted.file("a.txt")
    assert wanted.file("docs/deep/a.md")
    assert not wanted.file("a.md")
    assert not wanted.file("x/draft.txt")
    assert not wanted.file("docs/old/a.md")


def test_folders_that_are_left_out_as_a_whole() -> None:
    wanted = PathFilter(exclude=("private/*", "*/old/*", "notes*", "docs/*.md", "?/x"))
    for path in ("private", "private/deep", "a/old"):
        assert not wanted.directory(path)
    for path in ("old", "public", "notes", "docs", "a"):
        assert wanted.directory(path)
