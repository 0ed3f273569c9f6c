break-now = Giải lao
break-until = Giải lao, tiếp tục lúc <b>{ $time }</b>
break-left = còn
break-due = đã đến giờ tiếp tục
break-minutes = Thời gian giải lao
break-n = { $n } phút
break-anew = Đặt lại giờ
end-break = Kết thúc giải lao
