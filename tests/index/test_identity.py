"""Identity: when two addresses are one article."""

import pytest

from index.identity import article_id, article_key


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("https://www.4hou.com/posts/jgxv", "www.4hou.com/posts/jgxv"),
        ("http://WWW.4hou.com:80/posts/jgxv/#a", "www.4hou.com/posts/jgxv"),
        ("https://a.example:8443/x", "a.example:8443/x"),
        ("https://a.example/s?b=2&a=1&utm_source=x&spm=1", "a.example/s?a=1&b=2"),
        (
            "https://mp.weixin.qq.com/s?__biz=Mz==&mid=2&idx=1&sn=e5&chksm=1&scene=58#rd",
            "mp.weixin.qq.com/s?__biz=Mz==&idx=1&mid=2&sn=e5",
        ),
        (None, "path:a/b.md"),
        ("", "path:a/b.md"),
        ("http://[broken", "path:a/b.md"),
        ("/relative", "path:a/b.md"),
    ],
)
def test_the_key_is_canonical(url: str | None, key: str) -> None:
    assert article_key(url, "a/b.md") == key


def test_the_id_is_the_one_that_others_compute() -> None:
    assert article_id("www.4hou.com/posts/jgxv") == "f4e6a0a2c4ed5d02"
