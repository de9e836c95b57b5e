import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import software.amazon.event.ruler.Machine;

/** Answers every case with event-ruler: lines `id TAB pattern TAB event` in, one JSON object a line out, the texts as they came. */
public class Answer {
    public static void main(final String[] args) throws Exception {
        final BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        final PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        String line;
        while ((line = in.readLine()) != null) {
            final String[] part = line.split("\t");
            final Machine machine = new Machine();
            try {
                machine.addRule("rule", part[1]);
            } catch (final Exception refused) {
                throw new IllegalArgumentException("event-ruler refuses " + line, refused);
            }
            final boolean matches = !machine.rulesForJSONEvent(part[2]).isEmpty();
            out.println("{\"id\":\"" + part[0] + "\",\"pattern\":" + part[1] + ",\"event\":" + part[2] + ",\"matches\":" + matches + "}");
        }
        out.flush();
    }
}
