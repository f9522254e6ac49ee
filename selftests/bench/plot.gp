# SPDX-License-Identifier: GPL-2.0
# The plots of one model: gnuplot -e "base=...; model=...; titles=...; curves=..." plot.gp
# base.dat has a data set for each title: clients p50 p99 rate;
# base-cumulative.dat one for each curve: ms share.
set terminal svg size 800,500 dynamic enhanced background rgb 'white' font 'sans,12'
title(list, i) = system(sprintf("printf %%s '%s' | cut -d'|' -f%d", list, i))
count(list) = int(system(sprintf("printf %%s '%s' | tr '|' '\\n' | grep -c ''", list)))
data = base . '.dat'
n = count(titles)

set grid
set key outside bottom center horizontal noenhanced
set logscale xy
set xlabel 'clients'

set output base . '-latency.svg'
set title sprintf('Latency against clients; simulated platform %s', model) noenhanced
set ylabel 'ms'
plot for [i=1:n] data index i-1 using 1:2 with linespoints lw 2 pt 7 lc i \
	title title(titles, i) . ' p50', \
     for [i=1:n] data index i-1 using 1:3 with linespoints lw 1 dt 2 pt 6 lc i \
	title title(titles, i) . ' p99'

set output base . '-rate.svg'
set title sprintf('Attestations a second against clients; simulated platform %s', model) noenhanced
set ylabel 'per second'
plot for [i=1:n] data index i-1 using 1:4 with linespoints lw 2 pt 7 lc i title title(titles, i)

set output base . '-cumulative.svg'
set title sprintf('Cumulative latency; simulated platform %s', model) noenhanced
set xlabel 'ms'
set ylabel 'share of the answers'
unset logscale y
set yrange [0:1]
plot for [i=1:count(curves)] base . '-cumulative.dat' index i-1 using 1:2 with lines lw 2 \
	title title(curves, i) . ' clients'
