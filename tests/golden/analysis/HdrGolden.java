// Writes the golden histogram logs beside it, with Debian's libhdrhistogram-java 2.1.11:
//   javac -cp /usr/share/java/hdrhistogram.jar HdrGolden.java
//   run() { TZ=UTC java -cp /usr/share/java/hdrhistogram.jar:. HdrGolden "$1"; }
//   run 1000 > hdr_nanoseconds.hlog; run 1 > hdr_microseconds.hlog; run numbers > hdr_microseconds.json
import java.util.Locale;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramLogWriter;

public class HdrGolden {
    static final long START = 1793577600000L;

    // An interval of ten seconds; `unit` is how many make a microsecond.
    static Histogram interval(int which, long unit) {
        Histogram histogram = new Histogram(3_600_000_000L * unit, 3);
        long state = 12345 + which;
        int count = which == 2 ? 0 : which == 3 ? 1 : 1000;
        for (int i = 0; i < count; i++) {
            state = state * 6364136223846793005L + 1442695040888963407L;
            histogram.recordValue((1 + (state >>> 33) % (which == 1 ? 50_000_000L : 20_000L)) * unit);
        }
        histogram.setStartTimeStamp(START + 10_000L * which);
        histogram.setEndTimeStamp(START + 10_000L * (which + 1));
        if (which == 3) histogram.setTag("treated");
        return histogram;
    }

    static void log(long unit) {
        HistogramLogWriter writer = new HistogramLogWriter(System.out);
        writer.outputLogFormatVersion();
        writer.outputStartTime(START);
        writer.outputLegend();
        for (int which = 0; which < 4; which++)
            writer.outputIntervalHistogram(10.0 * which, 10.0 * (which + 1), interval(which, unit), 1000.0 * unit);
    }

    public static void main(String[] arguments) {
        Locale.setDefault(Locale.US);
        if (!arguments[0].equals("numbers")) {
            log(Long.parseLong(arguments[0]));
            return;
        }
        for (int which = 0; which < 4; which++) {
            Histogram h = interval(which, 1);
            System.out.printf(
                "%s{\"count\": %d, \"max\": %d, \"mean\": %.6f, \"p50\": %d, \"p95\": %d, \"p999\": %d}%s%n",
                which == 0 ? "[" : " ", h.getTotalCount(), h.getMaxValue(), h.getMean(), h.getValueAtPercentile(50),
                h.getValueAtPercentile(95), h.getValueAtPercentile(99.9), which < 3 ? "," : "]");
        }
    }
}
