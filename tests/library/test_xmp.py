"""The XMP packet says what it should in any script, and reading one is safe."""

from __future__ import annotations

import time
import xml.etree.ElementTree as Tree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.library import xmp
from tests.library.examples import AWKWARD

LEGIBLE = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"))


@given(LEGIBLE, LEGIBLE, LEGIBLE)
def test_what_was_written_is_read(description: str, alt_text: str, easel: str) -> None:
    said = xmp.read(xmp.write(description, alt_text, easel))
    assert said.description == description
    assert said.easel == easel
    assert said.tool.startswith("Easel ")


@given(st.one_of(st.text(), st.sampled_from(AWKWARD)))
def test_any_text_makes_a_packet_that_xml_allows(text: str) -> None:
    packet = xmp.write(text, text, text)
    Tree.fromstring(packet.encode())
    assert len(xmp.read(packet).description) == len(text)


def test_line_ends_stay_as_they_are() -> None:
    assert xmp.read(xmp.write("a\r\nb\rc\nd\te", "")).description == "a\r\nb\rc\nd\te"


def test_attributes_say_as_much_as_elements() -> None:
    packet = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF'
        ' xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description'
        ' xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:CreatorTool="Draw Things"/>'
        "</rdf:RDF></x:xmpmeta>"
    )
    assert xmp.read(packet).tool == "Draw Things"


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1 if n > 1 else str()};" * 10}">' for n in range(1, 10))
    + "]><a>&a9;</a>"
)


@pytest.mark.parametrize(
    "packet",
    [
        "",
        "no xml",
        "<",
        "<a>",
        BOMB,
        '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        "<a>" * 100_000,
        "<a>" * 50_000 + "</a>" * 50_000,
        "<a " + "b" * 3_000_000,
        "x" * (xmp.MAX_CHARS + 1),
        "\0" * 100,
        "\ud800<a/>",
    ],
    ids=lambda packet: repr(packet[:20]),
)
def test_a_broken_or_hostile_packet_says_nothing_and_costs_little(packet: str) -> None:
    began = time.process_time()
    assert xmp.read(packet) == xmp.Said()
    assert time.process_time() - began < 1.0
