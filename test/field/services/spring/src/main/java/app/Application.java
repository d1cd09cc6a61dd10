package app;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.FileWriter;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.actuate.info.InfoContributor;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;

/** A service as many are: Spring Boot with HikariCP and Actuator. It reads its login from Vault when it starts. */
@SpringBootApplication
public class Application {
  private static final ObjectMapper JSON = new ObjectMapper();

  public static void main(String[] args) throws Exception {
    JsonNode settings = JSON.readTree(Path.of(System.getenv("SETTINGS")).toFile());
    JsonNode vault = settings.get("vault");
    String user = read(vault, vault.get("username").asText());
    String password = read(vault, vault.get("password").asText());
    JsonNode path = settings.get("paths").get("primary");
    String url =
        "jdbc:postgresql://%s:%s/%s"
            .formatted(path.get("host").asText(), path.get("port").asText(), path.get("database").asText());

    Map<String, Object> all = new HashMap<>();
    all.put("server.address", settings.get("address").asText());
    all.put("server.port", settings.get("port").asInt());
    all.put("spring.datasource.url", url);
    all.put("spring.datasource.username", user);
    all.put("spring.datasource.password", password);
    all.put("management.endpoints.web.exposure.include", "health,info");
    all.put("management.endpoint.health.show-details", "always");
    all.put("app.user", user);
    SpringApplication application = new SpringApplication(Application.class);
    application.setDefaultProperties(all);
    application.run(args);

    Thread logins = new Thread(() -> tryLogins(settings.get("attempts").asText(), url, user, password));
    logins.setDaemon(true);
    logins.start();
  }

  @Bean
  InfoContributor about(@org.springframework.beans.factory.annotation.Value("${app.user}") String user) {
    String startedAt = Instant.now().toString();
    return info -> info.withDetail("user", user).withDetail("started_at", startedAt);
  }

  private static String read(JsonNode vault, String path) throws Exception {
    String url = "%s/v1/%s/data/%s".formatted(vault.get("address").asText(), vault.get("mount").asText(), path);
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(url)).header("X-Vault-Token", vault.get("token").asText()).build();
    HttpResponse<String> answer = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
    if (answer.statusCode() != 200) throw new IllegalStateException("Vault answers " + answer.statusCode());
    return JSON.readTree(answer.body()).at("/data/data/value").asText();
  }

  /** A new login five times a second, as a line of the file of attempts. */
  private static void tryLogins(String file, String url, String user, String password) {
    while (true) {
      Map<String, Object> attempt = new HashMap<>();
      attempt.put("t", System.currentTimeMillis() / 1000.0);
      attempt.put("path", "primary");
      attempt.put("user", user);
      try {
        DriverManager.getConnection(url, user, password).close();
      } catch (SQLException error) {
        attempt.put("error", error.getSQLState() + " " + error.getMessage());
      }
      try (FileWriter lines = new FileWriter(file, true)) {
        lines.write(JSON.writeValueAsString(attempt) + "\n");
        Thread.sleep(200);
      } catch (Exception error) {
        throw new IllegalStateException(error);
      }
    }
  }
}
