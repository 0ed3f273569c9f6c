quorate = Đủ điều kiện tiến hành
not-quorate = Chưa đủ điều kiện tiến hành
quorum-summoned = { $n }/{ $of } đại biểu, cần { $most } ({ $count }%)
quorum-sites = { $n }/{ $of } điểm cầu có mặt, cần { $most } ({ $count }%)
