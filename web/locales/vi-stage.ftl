## Màn hình lớn: bố cục khác
priority-wall = Chủ trì đang phát biểu
page-of = Trang { $n }/{ $of }
speech-waits = Tạm dừng
no-paragraph-shown = Chưa chọn đoạn dự thảo.
begins-soon = Hội nghị sắp bắt đầu
next-item-is = Tiếp theo, nội dung { $n }
roll-wall = Điểm danh
roll-of = { $n }/{ $of }
roll-call-wall = “Xin mời điểm cầu { $site } báo cáo quân số.”
roll-count-wall = Có mặt { $n }/{ $of }
roll-no-count-wall = Đang chờ quân số
roll-sum-wall = Toàn hội nghị: { $n }/{ $of }
roll-now-wall = đang gọi
queued-wall = CHỜ · SỐ { $n }
nobody-waits = Chưa có đăng ký
sound-blocked-wall = Chưa có tiếng: nhấn một phím bất kỳ ở máy này
presentation-awaited = Đang chờ màn hình trình chiếu…
