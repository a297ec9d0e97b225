using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using XComposer2.Native.Server;
using Xunit;

namespace XComposer2.Native.ServerTests;

/// <summary>A server with a certificate answers over TLS only.</summary>
public sealed class TlsTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Certificate_of_a_file_is_shown_and_plain_requests_are_not_answered(bool hasOneFile)
    {
        string folder = Directory.CreateTempSubdirectory("xc2 tls-").FullName, certificate = Path.Combine(folder, "cert.pem"), key = Path.Combine(folder, "key.pem");
        using var secret = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", secret, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        await File.WriteAllTextAsync(certificate, made.ExportCertificatePem() + (hasOneFile ? "\n" + secret.ExportPkcs8PrivateKeyPem() : ""), Cancellation);
        await File.WriteAllTextAsync(key, secret.ExportPkcs8PrivateKeyPem(), Cancellation);
        await using (XComposerServer server = await XComposerServer.StartAsync(
            new ServerOptions { Port = 0, Log = LogStyle.None, CertificatePath = certificate, CertificateKeyPath = hasOneFile ? null : key }, Cancellation))
        {
            await server.LoadAsync(DemoServer.Engine, Cancellation);
            Assert.StartsWith("https://127.0.0.1:", server.Addresses[0], StringComparison.Ordinal);
            string? shown = null;
            using var handler = new HttpClientHandler
            {
                ServerCertificateCustomValidationCallback = (_, presented, _, _) =>
                {
                    shown = presented?.Thumbprint;
                    return true;
                },
            };
            using var http = new HttpClient(handler) { BaseAddress = new Uri(server.Addresses[0]) };
            Assert.Equal("{\"status\":\"ok\"}", await http.GetStringAsync(new Uri("/health", UriKind.Relative), Cancellation));
            Assert.Equal(made.Thumbprint, shown);
            using var careful = new HttpClient { BaseAddress = http.BaseAddress };
            await Assert.ThrowsAsync<HttpRequestException>(() => careful.GetStringAsync(new Uri("/health", UriKind.Relative), Cancellation));
            using var plain = new HttpClient { BaseAddress = new Uri(server.Addresses[0].Replace("https:", "http:", StringComparison.Ordinal)) };
            await Assert.ThrowsAnyAsync<HttpRequestException>(() => plain.GetStringAsync(new Uri("/health", UriKind.Relative), Cancellation));
        }

        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Broken_certificate_is_reported()
    {
        string path = Path.Combine(Directory.CreateTempSubdirectory("xc2 tls-").FullName, "cert.pem");
        await File.WriteAllTextAsync(path, "no certificate", Cancellation);
        EngineException error = await Assert.ThrowsAsync<EngineException>(() => XComposerServer.StartAsync(new ServerOptions { Port = 0, CertificatePath = path }, Cancellation));
        Assert.Contains("cannot start", error.Message, StringComparison.Ordinal);
        Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
    }
}
