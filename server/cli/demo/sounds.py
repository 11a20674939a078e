"""The demo's material: Vietnamese speech out of espeak-ng, and music, composed into programmes.

Each announcement has words of its own, so that a recording tells which one sounded.
"""

from dataclasses import dataclass
from pathlib import Path

from audio_library.chime import opening_chime
from audio_library.decode import Samples, write_wav
from audio_library.music import melody
from audio_library.transcode import compose
from audio_library.tts import Synthesiser

_INTRO_S = 4.0
_LEAST_REST_S = 2.0
_PAUSES_S = (0.4, 0.3)


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


@dataclass(frozen=True, slots=True)
class Script:
    """What a programme is composed of.

    Attributes:
        name: Stem of its files.
        title: What it is called on the pages.
        formula: Spoken at its beginning.
        news: Spoken after some music.
        seed: Gives its music.
        suffix: Kind of file, as a studio would send it.
    """

    name: str
    title: str
    formula: str
    news: str
    seed: int
    suffix: str


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

PROVINCE_PROGRAMME = Script(
    name="chuong-trinh-tinh",
    title="Thời sự của tỉnh",
    formula="Đây là Đài Phát thanh tỉnh Tuyên Quang.",
    news="Các xã vùng cao tiếp tục thu hoạch ngô, chuẩn bị đất trồng vụ đông. "
    "Ngành y tế nhắc bà con đưa trẻ đi tiêm chủng đúng lịch.",
    seed=1945,
    suffix=".mp3",
)
COMMUNE_PROGRAMME = Script(
    name="chuong-trinh-xa",
    title="Chương trình của xã",
    formula="Đây là đài truyền thanh xã.",
    news="Tối nay nhà văn hóa mở cửa cho đội văn nghệ tập luyện. Mời bà con đến tham gia.",
    seed=1954,
    suffix=".flac",
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
TYPED_NOTICE = (
    "Trạm y tế xã thông báo: 7h30 ngày 25/11, tiêm chủng cho trẻ dưới 5 tuổi tại nhà văn hóa thôn. "
    "Phụ huynh mang theo sổ tiêm chủng. Điện thoại liên hệ: 0000 111 012."
)
LIVE_NOTICE = (
    "A lô, a lô. Tôi đang đứng ở đập tràn. Nước đã rút xuống dưới mức báo động một. "
    "Xe máy đi lại được, ô tô chờ thêm một giờ nữa. Cảm ơn bà con đã phối hợp."
)
DRILL_NOTICE = (
    "Nước hồ đang lên cao. Các hộ ở khu một tập trung tại sân trường tiểu học. "
    "Tổ xung kích kiểm tra từng nhà và báo về ủy ban trước chín giờ."
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
        """Make the opening chime that all announcements share."""
        return Piece(self._written("opening-chime", opening_chime()), 0.0)

    def music(self, name: str, seed: int, length_s: float) -> Piece:
        """Play music of a given length."""
        return Piece(self._written(name, melody(seed, length_s)), 0.0)

    def programme(self, script: Script, length_s: float) -> Piece:
        """Compose opening formula, music, news and music again, about ``length_s`` long."""
        name = script.name
        head = self.voice.speak(script.formula, self.folder / f"{name}-formula.wav")
        body = self.voice.speak(script.news, self.folder / f"{name}-news.wav")
        intro = self._written(f"{name}-intro", melody(script.seed, _INTRO_S))
        spoken = compose([head, intro, body], _PAUSES_S, self.folder / f"{name}-spoken.wav")
        rest_s = max(_LEAST_REST_S, length_s - spoken.duration_s - _PAUSES_S[-1])
        rest = self._written(f"{name}-rest", melody(script.seed + 1, rest_s))
        out = self.folder / f"{name}{script.suffix}"
        whole = compose([spoken.path, rest], _PAUSES_S[-1:], out)
        return Piece(whole.path, spoken.starts_s[1])

    def _written(self, name: str, samples: Samples) -> Path:
        path = self.folder / f"{name}.wav"
        write_wav(path, samples)
        return path
