break-now = Break
break-until = Break, we go on at <b>{ $time }</b>
break-left = still
break-due = it is time to go on
break-minutes = Length of the break
break-n = { $n } min
break-anew = Count anew
end-break = End the break
