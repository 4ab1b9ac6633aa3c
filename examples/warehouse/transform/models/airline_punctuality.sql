select
    airlines.name as airline,
    flights.month,
    count(*) as flights,
    count(*) filter (where flights.arr_delay > 15) as late_flights,
    round(avg(flights.arr_delay), 1) as mean_delay_minutes
from {{ source('raw', 'flights') }} as flights
join {{ source('raw', 'airlines') }} as airlines using (carrier)
group by airlines.name, flights.month
