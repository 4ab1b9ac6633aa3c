select route, count(*) as flights, min(distance) as miles
from {{ source('raw', 'flights') }}
group by route
