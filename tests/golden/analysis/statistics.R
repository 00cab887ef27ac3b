# Makes statistics.txt: inputs and what R says of them. Debian 12: r-base-core 4.2.2.
#   Rscript statistics.R | sed "s/ *$//" > statistics.txt
# R is only needed to make the numbers, never to run the tests.
line <- function(name, values) cat(name, sprintf('%.17g', as.numeric(values)), "\n", sep = " ")
set.seed(20)
# away from ties: R falls back to the approximation when there are any
x <- round(rnorm(17, 0.4, 1), 6); y <- round(rnorm(13, 0, 1.2), 6)
line("x", x); line("y", y)

rank <- function(name, t, less, greater) line(name, c(t$statistic, t$p.value, less, greater, t$estimate, t$conf.int))
w <- function(...) wilcox.test(..., conf.int = TRUE)
p <- function(alt, ...) wilcox.test(..., alternative = alt)$p.value
rank("mann_whitney_exact", w(x, y, exact = TRUE), p("less", x, y, exact = TRUE), p("greater", x, y, exact = TRUE))
rank("signed_rank_exact", w(x, exact = TRUE), p("less", x, exact = TRUE), p("greater", x, exact = TRUE))

# ties and zeros: normal approximation with continuity and tie correction; R's interval there comes from a root finder
# with tolerance 1e-4, so only statistic and p are compared
xt <- round(rnorm(60, 0.3, 1) * 2) / 2; yt <- round(rnorm(55, 0, 1) * 2) / 2
line("xt", xt); line("yt", yt)
approx <- function(name, two, less, greater) line(name, c(two$statistic, two$p.value, less, greater))
q <- function(alt, ...) suppressWarnings(wilcox.test(..., alternative = alt, exact = FALSE))
approx("mann_whitney_ties", q("two.sided", xt, yt), q("less", xt, yt)$p.value, q("greater", xt, yt)$p.value)
approx("signed_rank_ties", q("two.sided", xt), q("less", xt)$p.value, q("greater", xt)$p.value)

grid <- c(1e-300, 1e-20, 1e-9, 0.001, 0.02425, 0.075, 0.3, 0.5, 0.7, 0.975, 0.999999)
line("probabilities", grid); line("normal_quantiles", qnorm(grid))
line("z", c(-36, -8, -1.96, 0, 0.3, 4)); line("normal_cdf", pnorm(c(-36, -8, -1.96, 0, 0.3, 4)))
line("clopper_pearson_7_of_59_at_95", binom.test(7, 59)$conf.int)
line("clopper_pearson_0_of_29_at_90", binom.test(0, 29, conf.level = 0.9)$conf.int)
line("clopper_pearson_299_of_300_at_99", binom.test(299, 300, conf.level = 0.99)$conf.int)
line("binomial_cdf_3_100_0.05", pbinom(3, 100, 0.05)); line("binomial_cdf_900_1000_0.95", pbinom(900, 1000, 0.95))
line("beta_2.5_0.5_0.3", pbeta(0.3, 2.5, 0.5)); line("beta_300_700_0.31", pbeta(0.31, 300, 700))
# conditional test of two rates: events 17 in 1200 against 6 in 1000
line("rate_greater_17_1200_6_1000", poisson.test(c(17, 6), c(1200, 1000), alternative = "greater")$p.value)
line("rate_greater_7_0", poisson.test(c(7, 0), c(1, 1), alternative = "greater")$p.value)
s <- as.numeric(arima.sim(list(ar = 0.8), 200)); s <- round(s, 6)
line("series", s); line("acf", acf(s, lag.max = 20, plot = FALSE)$acf)
line("holm_in", c(0.01, 0.04, 0.03, 0.005, 0.8)); line("holm_out", p.adjust(c(0.01, 0.04, 0.03, 0.005, 0.8), "holm"))
line("type7", c(quantile(x, c(0, 0.1, 0.5, 0.95, 1), type = 7)))
line("student_t_p", c(1e-9, 0.01, 0.4, 0.95, 0.999)); line("student_t_7.3", qt(c(1e-9, 0.01, 0.4, 0.95, 0.999), 7.3))
# Kaplan and Meier's curve, ties of events and censored times among them, with intervals on the log scale
library(survival)
time <- c(round(rexp(40, 0.1), 1), 6, 6, 6, 10, 10, 90); happened <- c(rbinom(40, 1, 0.7), 1, 1, 0, 1, 0, 0)
line("survival_time", time); line("survival_happened", happened)
f <- survfit(Surv(time, happened) ~ 1, conf.type = "log"); e <- f$n.event > 0
line("survfit_time", f$time[e]); line("survfit_at_risk", f$n.risk[e]); line("survfit_share", f$surv[e])
line("survfit_error", (f$surv * f$std.err)[e]); line("survfit_low", f$lower[e]); line("survfit_high", f$upper[e])
line("survfit_median", quantile(f, 0.5)$quantile)
