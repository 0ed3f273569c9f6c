# Tiếng Việt là ngôn ngữ nguồn. Mỗi dòng chữ trên màn hình có ở đây và chỉ ở đây.

## Các trang
page-chair = Bàn chủ trì
page-site = Điểm cầu
page-observer = Theo dõi
page-stage = Màn hình lớn
title-speaking = { $site } đang phát biểu
title-paragraph = Đoạn { $n }
role-chair = Chủ trì
role-secretary = Thư ký
role-moderator = Phụ trách điểm cầu
role-technician = Cán bộ kỹ thuật
role-observer = Người theo dõi
role-stage = Màn hình lớn
standby-machine = máy dự phòng

## Vào, chờ, dừng
joining = Đang vào phòng họp…
joining-late = Chưa kết nối được máy chủ. Trang tự thử lại; hãy kiểm tra dây mạng.
try-now = Thử ngay

## Đường truyền
link = Đường truyền
own-link = Đường truyền của máy này
link-none = Mất
link-weak = Kém
link-fair = Trung bình
link-good = Tốt
lost-control = Mất kết nối điều khiển
lost-media = Đang kết nối lại. Hình và tiếng có thể đứng, số liệu dưới đây có thể đã cũ.
saved-offline = Đã giữ lại trên máy này, sẽ tự gửi khi có kết nối.
lost-trying = Đang kết nối lại. Số liệu dưới đây có thể đã cũ.
server-stopping = Máy chủ sắp khởi động lại. Trang sẽ tự kết nối lại, không cần làm gì.
reconnecting = Đang kết nối lại
offline-order = Đang mất kết nối: lệnh này chưa được gửi. Hãy bấm lại khi có kết nối.
unknown-order = Không rõ lệnh đã được thực hiện chưa: hãy xem trạng thái hiện tại.
sound-on = Loa: bật
sound-off = Loa: tắt
sound-blocked = Bấm một lần để bật tiếng

## Trạng thái điểm cầu
state-speaking = Đang phát biểu
state-live = Đang mở micro
state-held = Giữ lượt
state-deck = Chuẩn bị
state-queued = Chờ
state-lost = Mất kết nối
state-absent = Chưa kết nối
state-weak = Kém
state-ready = Sẵn sàng
queued-place = Chờ · số { $n }
on-standby = Máy dự phòng
sites-count = { $n } điểm cầu
linked-count = { $n } đã kết nối
lost-link = mất kết nối

## Lượt phát biểu
speaking = ĐANG PHÁT BIỂU
nobody-speaks = Chưa có điểm cầu phát biểu
hall-open = HỘI TRƯỜNG ĐANG MỞ MICRO
turn-running = Còn lại
turn-last-minute = Phút cuối
turn-last-seconds = Sắp hết giờ
turn-over = Quá giờ
turn-paused = Tạm dừng
turn-held = Giữ lượt
turn-muted = Đã đóng micro
turn-clock-label = { $word } { $left } trong { $of }
seconds-left = còn { $n } giây
speech-paper = Tham luận
speech-contribution = Ý kiến
speech-reply = Trao đổi lại
speech-response = Giải trình
speech-question = Hỏi thêm
speech-point_of_order = Ý kiến về điều hành
speech-directing = Phát biểu chỉ đạo
speech-conclusion = Phát biểu kết luận
draft-paragraph = { $draft }, đoạn { $n }
programme = Hình phát chung
programme-picture = Hình phát chung: { $site }
no-programme = Chưa có hình phát chung
no-picture = Không có hình
picture-from = Hình từ { $site }
own-picture = Hình của điểm cầu

## Chương trình
agenda = Chương trình
item-done = đã xong
agenda-done = Đã xong chương trình
item-of = Nội dung { $n }/{ $of }
no-item = Chưa vào nội dung

## Bàn chủ trì
list-is-closed = đang khoá
number = Số
end-turn = Kết thúc lượt
pause = Tạm dừng
big-screen = Màn hình lớn
layout-grid = Lưới điểm cầu
layout-speaker = Diễn giả

## Bàn điểm cầu
list-empty = Chưa có điểm cầu nào trong danh sách
waiting-sites = Đang chờ: <b>{ $n }</b> đăng ký
waiting-for-chair = Chờ chủ trì duyệt
withdraw = Rút đăng ký
cancel = Huỷ
request-withdrawn = Đã rút đăng ký
delegate = Người phát biểu
topic = Chủ đề
paragraph = Đoạn
you = (quý vị)
next-up = Tiếp theo
microphone-open = Micro đang mở
microphone-closed = Micro của điểm cầu đang đóng
microphone-ready = Micro sẵn sàng, chưa phát
comment-on-draft = Gửi góp ý

## Kiểm tra thiết bị
greenroom = Kiểm tra thiết bị
microphone-level = Mức micro
opening-device = Đang mở…
try-devices = Mở lại thiết bị
rtt = Độ trễ
server = Máy chủ
camera-refused = Trình duyệt chưa cho phép máy quay
camera-missing = Không thấy máy quay
camera-busy = Máy quay đang bị chương trình khác dùng
camera-insecure = Trang chưa an toàn nên trình duyệt khoá máy quay
camera-other = Chưa có hình
microphone-refused = Trình duyệt chưa cho phép micro
microphone-missing = Không thấy micro
microphone-busy = Micro đang bị chương trình khác dùng
microphone-insecure = Trang chưa an toàn nên trình duyệt khoá micro
microphone-other = Chưa có micro
role = Vai trò
now = Hiện tại

## Dự thảo, góp ý
drafts = Dự thảo
comment-taken = Máy chủ đã ghi ý kiến.

## Bàn kỹ thuật
sites = Điểm cầu
site = Điểm cầu
seats = Đường liên kết đã cấp

## Theo dõi
back = Trở lại
close = Đóng

## Danh sách giá trị của chương trình hội nghị
role-deputy = Đồng chủ trì
layout-waiting = Màn hình chờ
layout-document = Dự thảo
layout-presentation = Trình chiếu
layout-notice = Thông báo
layout-blank = Màn hình trống
prompt-near_microphone = Lại gần micro
prompt-slower = Nói chậm lại
prompt-one_minute_left = Còn một phút
prompt-prepare = Chuẩn bị phát biểu
prompt-need_help = Cần hỗ trợ
prompt-cannot_hear = Không nghe rõ
prompt-cannot_see = Không thấy hình

## Bàn chủ trì: gọi, hoàn tác, ưu tiên
page-deputy = Bàn đồng chủ trì
pass-over = Bỏ qua lần này
call-next-site = Gọi điểm cầu tiếp theo
undo = Hoàn tác
priority-held = Chủ trì đang ưu tiên
turn-interrupted = Tạm dừng nghe ý kiến khác
turn-silenced = Tạm tắt micro

## Bàn điểm cầu: chuẩn bị, điểm danh, lời nhắc
present-of = có mặt { $n }/{ $of } đại biểu
speakers-list = Danh sách đăng ký phát biểu
roll-call = Điểm danh
why-staged = Chuẩn bị mời
why-chair = Chủ trì xếp
why-precedence = Ưu tiên theo loại phát biểu
why-arrival = Theo thứ tự đăng ký
why-round = Lượt thứ { $n } của điểm cầu
why-least_time = Thời gian được tính: { $time }
asks-minutes = xin { $n } phút
row-unlinked = Không có kết nối, tạm bỏ qua
why-document = Theo thứ tự dự thảo
about-speech = về phát biểu của { $site }
roll-answer-words = “Điểm cầu { $site } có mặt, xin báo cáo quân số.”
presented = Trình chiếu: { $label }
at-item = đang ở nội dung { $n }
