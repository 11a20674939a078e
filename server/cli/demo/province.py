"""The demo's province: one province, four communes, two former districts, twelve clusters.

Names and places are those of the north of the old province Hà Giang, which became part of Tuyên
Quang in July 2025; coordinates are of the villages, to about a kilometre. People and telephone
numbers are made up (numbers that no operator gives out).
"""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from server.domain.authority import Role


@dataclass(frozen=True, slots=True)
class Commune:
    """A commune and the former district that it was part of."""

    unit_id: str
    name: str
    latitude: float
    longitude: float
    group_id: str


@dataclass(frozen=True, slots=True)
class Cluster:
    """Loudspeakers at one place."""

    cluster_id: str
    name: str
    village: str
    unit_id: str
    latitude: float
    longitude: float
    people: int
    contact_name: str
    contact_phone: str

    @property
    def node_id(self) -> str:
        """Name of the node that stands there."""
        return f"node-{self.cluster_id}"


@dataclass(frozen=True, slots=True)
class Login:
    """Somebody who may log in to the demo, with a password that everybody may know."""

    username: str
    password: str
    full_name: str
    role: Role
    unit_id: str


@dataclass(frozen=True, slots=True)
class Letter:
    """A bulletin of the province that is there when the demo begins."""

    title: str
    text: str
    bulletin_class: str
    addressed: tuple[str, ...]
    decision_number: str = ""
    severity: int = 0


PROVINCE = "tinh-tuyen-quang"
PROVINCE_NAME = "Tỉnh Tuyên Quang"
LEVELS = ((0, "Tỉnh", "Province"), (1, "Xã", "Commune"))

GROUPS = {
    "huyen-dong-van-cu": "Huyện Đồng Văn (cũ)",
    "huyen-vi-xuyen-cu": "Huyện Vị Xuyên (cũ)",
}

DONG_VAN = "xa-dong-van"
LUNG_CU = "xa-lung-cu"
VI_XUYEN = "xa-vi-xuyen"
THANH_THUY = "xa-thanh-thuy"

COMMUNES = (
    Commune(DONG_VAN, "Xã Đồng Văn", 23.2783, 105.3616, "huyen-dong-van-cu"),
    Commune(LUNG_CU, "Xã Lũng Cú", 23.3639, 105.3163, "huyen-dong-van-cu"),
    Commune(VI_XUYEN, "Xã Vị Xuyên", 22.6653, 104.9797, "huyen-vi-xuyen-cu"),
    Commune(THANH_THUY, "Xã Thanh Thủy", 22.9186, 104.8567, "huyen-vi-xuyen-cu"),
)

CLUSTERS = (
    Cluster("thai-phin-tung", "Cụm loa Thài Phìn Tủng", "Thôn Thài Phìn Tủng", DONG_VAN,
            23.2711, 105.3189, 412, "Vàng Mí Sình", "0000 111 001"),
    Cluster("pho-co", "Cụm loa Phố Cổ", "Tổ dân phố Phố Cổ", DONG_VAN,
            23.2790, 105.3628, 1260, "Lương Thị Duyên", "0000 111 002"),
    Cluster("ta-lung", "Cụm loa Tả Lủng", "Thôn Tả Lủng", DONG_VAN,
            23.2478, 105.3925, 538, "Giàng Mí Say", "0000 111 003"),
    Cluster("lo-lo-chai", "Cụm loa Lô Lô Chải", "Thôn Lô Lô Chải", LUNG_CU,
            23.3611, 105.3122, 476, "Sình Dỉ Gai", "0000 111 004"),
    Cluster("then-pa", "Cụm loa Thèn Pả", "Thôn Thèn Pả", LUNG_CU,
            23.3589, 105.3208, 391, "Vàng Thị Mỷ", "0000 111 005"),
    Cluster("ta-gia-khau", "Cụm loa Tả Giá Khâu", "Thôn Tả Giá Khâu", LUNG_CU,
            23.3428, 105.3342, 287, "Lò Mí Pó", "0000 111 006"),
    Cluster("lang-ma", "Cụm loa Làng Má", "Thôn Làng Má", VI_XUYEN,
            22.6511, 104.9931, 834, "Nguyễn Văn Thắng", "0000 111 007"),
    Cluster("ban-cap", "Cụm loa Bản Cáp", "Thôn Bản Cáp", VI_XUYEN,
            22.6786, 104.9622, 615, "Hoàng Thị Lan", "0000 111 008"),
    Cluster("dong-cap", "Cụm loa Đông Cáp", "Thôn Đông Cáp", VI_XUYEN,
            22.6869, 104.9725, 702, "Phàn Văn Quý", "0000 111 009"),
    Cluster("nam-ngat", "Cụm loa Nậm Ngặt", "Thôn Nậm Ngặt", THANH_THUY,
            22.9331, 104.8411, 318, "Đặng Văn Chài", "0000 111 010"),
    Cluster("giang-nam", "Cụm loa Giang Nam", "Thôn Giang Nam", THANH_THUY,
            22.9236, 104.8603, 447, "Nông Thị Hà", "0000 111 011"),
    Cluster("coc-nghe", "Cụm loa Cóc Nghè", "Thôn Cóc Nghè", THANH_THUY,
            22.9031, 104.8672, 369, "Bàn Văn Tá", "0000 111 012"),
)  # fmt: skip

LOGINS = (
    Login("quan-tri", "demo-quan-tri", "Trần Minh Đức", Role.ADMIN, PROVINCE),
    Login("phat-thanh", "demo-phat-thanh", "Lê Thu Hà", Role.BROADCASTER, PROVINCE),
    # Nobody approves a bulletin of their own: there are two.
    Login("duyet-tin", "demo-duyet-tin", "Ngô Quang Huy", Role.BROADCASTER, PROVINCE),
    Login("xa-dong-van", "demo-dong-van", "Vừ Thị Mai", Role.COMMUNE_OFFICER, DONG_VAN),
    Login("xa-lung-cu", "demo-lung-cu", "Lò Văn Páo", Role.COMMUNE_OFFICER, LUNG_CU),
    Login("xa-vi-xuyen", "demo-vi-xuyen", "Nguyễn Thị Hồng", Role.COMMUNE_OFFICER, VI_XUYEN),
    Login("xa-thanh-thuy", "demo-thanh-thuy", "Phùng Văn Sinh", Role.COMMUNE_OFFICER, THANH_THUY),
    Login("ky-thuat", "demo-ky-thuat", "Hoàng Văn Tú", Role.TECHNICIAN, PROVINCE),
    Login("xem", "demo-xem", "Khách tham quan", Role.VIEWER, PROVINCE),
)


ANSWER_WITHIN = timedelta(days=3)
LETTERS = (
    Letter(
        "Tiêm phòng cho trẻ dưới năm tuổi",
        "Kính mời bà con đưa trẻ đến trạm y tế xã từ 7 giờ 30 sáng Thứ Bảy.",
        "ordinary",
        (DONG_VAN, LUNG_CU),
    ),
    Letter(
        "Lịch cắt điện để sửa đường dây",
        "Điện lực tỉnh sửa đường dây 35 kV. Bà con lưu ý tắt thiết bị trước giờ cắt điện.",
        "priority",
        (DONG_VAN, LUNG_CU),
    ),
    Letter(
        "Cảnh báo lũ quét trên sông Nho Quế",
        "Bà con ven sông di chuyển ngay tới nơi cao.",
        "emergency",
        (DONG_VAN,),
        "15/QĐ-UBND",
        3,
    ),
)


def clusters_of(unit_id: str) -> tuple[str, ...]:
    """List the clusters of one commune."""
    return tuple(cluster.cluster_id for cluster in CLUSTERS if cluster.unit_id == unit_id)


def officer_of(unit_id: str) -> Login:
    """Tell who broadcasts for a unit."""
    return next(
        login
        for login in LOGINS
        if login.unit_id == unit_id and login.role in {Role.BROADCASTER, Role.COMMUNE_OFFICER}
    )


def node_files(state_dir: Path) -> dict[str, Path]:
    """Tell where each cluster's node file is."""
    return {
        cluster.cluster_id: state_dir / "nodes" / f"{cluster.cluster_id}.json"
        for cluster in CLUSTERS
    }
