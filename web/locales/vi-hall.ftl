hall-title = Đăng ký phát biểu tại hội trường
hall-closed = Danh sách đang khoá: chỉ nhận ý kiến về điều hành.
hall-no-item = Đăng ký được khi đã vào một nội dung.
hall-waiting = Đăng ký của hội trường · { $n }
hall-withdraw-of = Rút đăng ký: { $text }
hall-done = Đã ghi vào danh sách.
