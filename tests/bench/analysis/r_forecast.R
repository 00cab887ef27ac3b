# Makes r_forecast.csv: a day ahead at five minutes by R's forecast package (Debian 12: r-cran-forecast 8.20), the peer of
# the figure mase24_vs_r. R is only needed to make the numbers, never to run the bench.
#   dev/bench analysis --data DIR --export r_series.csv && Rscript r_forecast.R r_series.csv > r_forecast.csv
# Bounded, because auto.arima takes minutes a series: three series a group (evenly spread, no seed in it), one origin a
# day before the end, the 28 days before it; our model is given the same. Missing values are interpolated (na.interp).
suppressMessages(library(forecast))
day <- 288
rows <- strsplit(readLines(commandArgs(TRUE)[1]), ",")
number <- function(row) suppressWarnings(as.numeric(row[-(1:3)]))
cat("# group,name,MASE of thetaf, stlf+ets, mstl+ets, mstl+arima:", "forecast", as.character(packageVersion("forecast")), "\n")
for (i in seq(1, length(rows), 2)) {
  past <- number(rows[[i]]); future <- number(rows[[i + 1]])
  scale <- mean(abs(diff(past, day)), na.rm = TRUE)
  daily <- na.interp(ts(past, frequency = day))
  periods <- if (length(past) >= 14 * day) c(day, 7 * day) else day
  both <- msts(as.numeric(daily), seasonal.periods = periods)
  score <- function(make) tryCatch(mean(abs(future - as.numeric(make()$mean)), na.rm = TRUE) / scale,
                                   error = function(e) Inf)
  mase <- c(score(function() thetaf(daily, h = day)),
            score(function() stlf(daily, h = day, method = "ets")),
            score(function() stlf(both, h = day, method = "ets")),
            score(function() stlf(both, h = day, method = "arima")))
  cat(rows[[i]][1], rows[[i]][2], sprintf("%.6f", mase), sep = ","); cat("\n")
}
