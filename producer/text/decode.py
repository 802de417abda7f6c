"""Strict decoding: no character is replaced or dropped, except the byte order mark and carriage returns."""

import codecs
import io

from configs.errors import SettingsError
from producer.errors import RejectedError
from producer.text.encodings import SAMPLE_BYTES, detect

_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_NO_TEXT = {b"%PDF": "a PDF", b"PK\x03\x04": "a ZIP archive, as Word, Excel and EPUB write them"}
_LONGEST_MARK = 4


def check_encoding(name: str | None) -> None:
    """Raise SettingsError unless `name` is a text encoding or None."""
    try:
        "".encode(name or "utf-8")
    except LookupError:
        raise SettingsError(
            f"--encoding {name}: no such text encoding; examples are utf-8, gb18030, big5 and utf-16"
        ) from None


class Decoder:
    r"""Decodes one file, given in blocks. `encoding` is final once a byte outside ASCII has been decoded.

    The line ends \r\n and \r become \n. ASCII is decoded at once. From the first other byte on, up to 64 KiB are held
    back to detect the encoding. Raises RejectedError with the offset in the file of the first bad byte.
    """

    def __init__(self, forced: str | None = None) -> None:
        self.encoding = forced or "utf-8"
        self._held = b""
        self._fed = 0
        self._begun = False  # the first bytes have been searched for a byte order mark
        self._codec = _codec(forced) if forced else None
        self._lines = io.IncrementalNewlineDecoder(None, translate=True)
        self._first = True  # no character has come out yet

    def feed(self, data: bytes, *, final: bool = False) -> str:
        text = self._decode(self._held + data, final=final)
        if self._first and text:
            text, self._first = text.removeprefix("\ufeff"), False
        return self._lines.decode(text, final)

    def _decode(self, data: bytes, *, final: bool) -> str:
        self._held = b""
        if self._codec is None and not self._begun:
            if len(data) < _LONGEST_MARK and not final:
                self._held = data
                return ""
            self._look_for_mark(data)
        if self._codec is not None:
            return self._strict(self._codec, data, final=final)
        return self._undecided(data, final=final)

    def _look_for_mark(self, data: bytes) -> None:
        self._begun = True
        for mark, what in _NO_TEXT.items():
            if data.startswith(mark):
                raise RejectedError("binary", f"byte 0 begins {what}: convert it to text first")
        for mark, encoding in _MARKS.items():
            if data.startswith(mark):
                self.encoding, self._codec = encoding, _codec(encoding)

    def _undecided(self, data: bytes, *, final: bool) -> str:
        """Decode a block while the encoding is open: every block before it was ASCII, which all encodings share."""
        ascii_codec = _codec("latin-1")
        if data.isascii():
            return self._strict(ascii_codec, data, final=final)
        first = next(at for at, byte in enumerate(data) if byte >= 0x80)
        text = self._strict(ascii_codec, data[:first], final=False)
        rest = data[first:]
        if len(rest) < SAMPLE_BYTES and not final:
            self._held = rest
            return text
        found = detect(rest[:SAMPLE_BYTES], complete=final and len(rest) <= SAMPLE_BYTES)
        self.encoding = found or "utf-8"
        self._codec = _codec(self.encoding)
        if found is None:
            self._refuse_unknown(rest, final=final)
        return text + self._strict(self._codec, rest, final=final)

    def _strict(self, codec: codecs.IncrementalDecoder, data: bytes, *, final: bool) -> str:
        begins = self._fed - len(codec.getstate()[0])
        try:
            text = codec.decode(data, final)
        except UnicodeDecodeError as exc:
            raise RejectedError(
                "undecodable",
                f"byte {begins + exc.start} (0x{exc.object[exc.start]:02x}) is not {self.encoding}: {exc.reason}",
            ) from None
        except UnicodeError as exc:
            raise RejectedError("undecodable", f"near byte {begins}: not {self.encoding}: {exc}") from None
        if (nul := text.find("\0")) >= 0:
            at = begins + len(text[:nul].encode(self.encoding))
            raise RejectedError("binary", f"byte {at} is a NUL character: a binary file, or UTF-16 without its mark")
        self._fed += len(data)
        return text

    def _refuse_unknown(self, rest: bytes, *, final: bool) -> None:
        """Raise RejectedError for the first byte that is not UTF-8, the encoding that most files are meant to have."""
        try:
            self._strict(_codec("utf-8"), rest, final=final)
        except RejectedError as exc:
            raise RejectedError(exc.kind, f"{exc}; nor is it plausible GB18030 or Big5. Set --encoding") from None


def _codec(encoding: str) -> codecs.IncrementalDecoder:
    return codecs.getincrementaldecoder(encoding)("strict")
