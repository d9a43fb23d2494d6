"""Word documents and plain text files, one submission each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from pipeline.reading.blocks import Block
from pipeline.reading.cells import clean_text
from pipeline.reading.encodings import find_encoding
from pipeline.reading.files import InputFile
from pipeline.reading.options import ReadOptions
from pipeline.reading.trouble import UnreadableError

if TYPE_CHECKING:
    from docx.document import Document

_SHORT = 40  # characters; a longer first line is text, not a title
_TITLE_STYLE = re.compile(r"(?:title|heading\s*1?|标题\s*1?|文档标题)", re.IGNORECASE)
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"


def read_text_file(file: InputFile, *, options: ReadOptions) -> Iterator[Block]:
    """A text file as one submission; its first line is the title where it is short and more follows.

    Raises
    ------
    UnreadableError : the encoding is not recognized, or does not fit
    """
    encoding = find_encoding(file.path, name=file.name, given=options.encoding)
    if encoding.damaged:
        raise UnreadableError("有无法识别的字节，文字已损坏，请用记事本打开核对，另存为 UTF-8 编码再试")
    with open(file.path, encoding=encoding.name, newline="") as stream:
        text = clean_text(stream.read())
    yield _one_submission(text.split("\n"), titled=None)


def read_document(file: InputFile) -> Iterator[Block]:
    """A Word document as one submission: paragraphs, tables and text boxes in reading order.

    The title is the first paragraph of a title or heading style, else the first line where it is short and more
    follows. Insertions that wait for approval are read, deletions are not.

    Raises
    ------
    UnreadableError : damaged, or not a Word document
    """
    import docx

    try:
        document = docx.Document(str(file.path))
        styles = _title_styles(document)
        lines: list[str] = []
        titled: int | None = None
        for paragraph, style in _paragraphs(document.element.body):
            written = clean_text(paragraph)
            if written:
                if titled is None and style in styles:
                    titled = len(lines)
                lines.append(written)
    except Exception as error:  # lxml, zipfile and python-docx raise many kinds for damage
        raise UnreadableError("文档已损坏或不是 Word 文档，请用 Word 或 WPS 打开修复后另存为 .docx") from error
    yield _one_submission(lines, titled=titled)


def _one_submission(lines: Sequence[str], *, titled: int | None) -> Block:
    written = [line for line in lines if line.strip()]
    if titled is None and len(written) > 1 and len(written[0].strip()) < _SHORT:
        titled = 0
    title = "" if titled is None else written[titled].strip()
    text = "\n".join(line for index, line in enumerate(written) if index != titled)
    return Block(rows=[1], cells={"title": [title], "text": [text]})


def _title_styles(document: Document) -> set[str]:
    from docx.enum.style import WD_STYLE_TYPE

    return {
        style.style_id
        for style in document.styles
        if style.type == WD_STYLE_TYPE.PARAGRAPH and style.name and _TITLE_STYLE.fullmatch(style.name.strip())
    }


def _paragraphs(body: Any) -> Iterator[tuple[str, str]]:
    """Text and style of each paragraph and table row in reading order; a text box follows the paragraph it is in."""
    for element in body:
        if element.tag == f"{_W}p":
            yield from _paragraph(element)
        elif element.tag == f"{_W}tbl":
            for row in element.findall(f"{_W}tr"):
                cells = [
                    " ".join(text for text, _ in _paragraphs(cell) if text.strip()) for cell in row.findall(f"{_W}tc")
                ]
                yield " ".join(filter(None, cells)), ""
        elif element.tag not in (f"{_W}del", f"{_W}moveFrom", f"{_W}sectPr", _FALLBACK):
            yield from _paragraphs(element)  # content controls, insertions and other wrappings


def _paragraph(paragraph: Any) -> Iterator[tuple[str, str]]:
    style = paragraph.find(f"{_W}pPr/{_W}pStyle")
    pieces: list[str] = []
    boxes: list[Any] = []
    _collect(paragraph, pieces, boxes)
    yield "".join(pieces), "" if style is None else style.get(f"{_W}val", "")
    for box in boxes:
        yield from _paragraphs(box)


def _collect(element: Any, pieces: list[str], boxes: list[Any]) -> None:
    for child in element:
        if child.tag == f"{_W}t":
            pieces.append(child.text or "")
        elif child.tag in (f"{_W}br", f"{_W}cr"):
            pieces.append("\n")
        elif child.tag == f"{_W}tab":
            pieces.append("\t")
        elif child.tag == f"{_W}txbxContent":
            boxes.append(child)
        # A text box is stored twice, the second time for old readers.
        elif child.tag not in (_FALLBACK, f"{_W}pPr", f"{_W}rPr", f"{_W}del", f"{_W}moveFrom"):
            _collect(child, pieces, boxes)
