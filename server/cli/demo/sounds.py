"""The demo's material: Vietnamese speech out of espeak-ng, and music, composed into programmes.

Each announcement has words of its own, so that a recording tells which one sounded.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from audio_library.chime import opening_chime
from audio_library.decode import write_wav
from audio_library.music import melody
from audio_library.transcode import compose
from audio_library.tts import Synthesiser


@dataclass(frozen=True, slots=True)
class Clip:
    """A prepared warning."""

    name: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A composed sound file, and where its own words or music begin in it."""

    path: Path
    speech_at_s: float


WARNINGS = (
    Clip(
        "lu-quet",
        "Cảnh báo lũ quét, sạt lở đất",
        "Cảnh báo khẩn. Mưa rất to, nguy cơ lũ quét và sạt lở đất. "
        "Đề nghị bà con ở ven suối và dưới chân núi di chuyển ngay đến nhà văn hóa thôn. "
        "Không đi qua ngầm, qua suối khi nước lên.",
    ),
    Clip(
        "chay-rung",
        "Cảnh báo cháy rừng",
        "Thông báo. Thời tiết hanh khô, cảnh báo cháy rừng cấp bốn. "
        "Bà con không đốt nương, không mang lửa vào rừng. "
        "Phát hiện cháy, gọi ngay trưởng thôn hoặc kiểm lâm.",
    ),
    Clip(
        "mat-dien",
        "Thông báo tạm ngừng cấp điện",
        "Thông báo của điện lực. Ngày mai tạm ngừng cấp điện từ bảy giờ đến mười một giờ "
        "để sửa chữa đường dây. Mong bà con thông cảm.",
    ),
    Clip(
        "ret-dam",
        "Rét đậm, giữ ấm cho gia súc",
        "Bản tin thời tiết nông vụ. Đêm nay vùng núi cao có rét đậm, có nơi dưới năm độ. "
        "Bà con che chắn chuồng trại, giữ ấm và cho trâu bò ăn đủ.",
    ),
)

PROVINCE_FORMULA = "Đây là Đài Phát thanh tỉnh Tuyên Quang."
PROVINCE_NEWS = (
    "Bản tin của tỉnh. Các xã vùng cao tiếp tục thu hoạch ngô, chuẩn bị đất trồng vụ đông. "
    "Ngành y tế nhắc bà con đưa trẻ đi tiêm chủng đúng lịch."
)
COMMUNE_NEWS = (
    "Chương trình của xã. Tối nay nhà văn hóa mở cửa cho đội văn nghệ tập luyện. "
    "Mời bà con đến tham gia."
)
FLOOD_NOTICE = (
    "Khẩn cấp. Nước suối đang lên nhanh ở khu vực chợ. "
    "Đề nghị các hộ ven suối đưa người già và trẻ em lên chỗ cao ngay bây giờ. "
    "Ban chỉ huy xã đang có mặt."
)
VACCINE_NOTICE = (
    "Thông báo của trạm y tế xã. Sáng mai, từ bảy giờ, trạm tổ chức tiêm vắc xin phòng dại cho chó "
    "mèo tại nhà văn hóa các thôn. Mỗi gia đình mang theo sổ theo dõi. "
    "Sau khi tiêm, giữ vật nuôi trong nhà ba ngày. "
    "Gia đình nào vắng nhà thì báo với trưởng thôn để cán bộ thú y đến sau. "
    "Mọi thắc mắc, bà con gọi cho trạm y tế xã trong giờ làm việc. "
    "Đề nghị các trưởng thôn nhắc lại thông báo này trong buổi họp thôn tối thứ bảy."
)


@dataclass(frozen=True, slots=True)
class Studio:
    """Where sounds are made.

    Attributes:
        voice: Who speaks.
        folder: Where files are left.
    """

    voice: Synthesiser
    folder: Path

    def speech(self, name: str, text: str) -> Piece:
        """Speak a text."""
        return Piece(self.voice.speak(text, self.folder / f"{name}.wav"), 0.0)

    def chime(self) -> Piece:
        """Make the opening chime that is shared by all announcements."""
        return Piece(self._written("opening-chime", 0, 0.0), 0.0)

    def music(self, name: str, seed: int, length_s: float) -> Piece:
        """Play music of a given length."""
        return Piece(self._written(name, seed, length_s), 0.0)

    def programme(self, name: str, *, formula: str, news: str, seed: int, length_s: float) -> Piece:
        """Compose opening formula, music, news and music again, about ``length_s`` long."""
        head = self.voice.speak(formula, self.folder / f"{name}-formula.wav")
        body = self.voice.speak(news, self.folder / f"{name}-news.wav")
        intro = self._written(f"{name}-intro", seed, _INTRO_S)
        spoken = compose([head, intro, body], _PAUSES_S, self.folder / f"{name}-spoken.wav")
        rest_s = length_s - spoken.duration_s - _PAUSES_S[-1]
        whole = compose(
            [spoken.path, self._written(f"{name}-rest", seed + 1, max(2.0, rest_s))],
            [_PAUSES_S[-1]],
            self.folder / f"{name}.mp3",
        )
        return Piece(whole.path, spoken.starts_s[1])

    def joined(self, name: str, parts: Sequence[Path], suffix: str) -> Piece:
        """Join files into one of another format."""
        whole = compose(parts, [0.3] * (len(parts) - 1), self.folder / f"{name}{suffix}")
        return Piece(whole.path, 0.0)

    def _written(self, name: str, seed: int, length_s: float) -> Path:
        path = self.folder / f"{name}.wav"
        write_wav(path, melody(seed, length_s) if length_s else opening_chime())
        return path


_INTRO_S = 9.0
_PAUSES_S = (0.4, 0.3)
