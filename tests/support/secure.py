"""secure.py: a broker that lets in only whom it knows, with certificates made for
this run.

    certificates = Certificates(folder)
    kafka = cluster.own(Secure(cluster.folder, certificates, {"segmentd": "password"}))

It has four listeners: without anything (the tests' own door), SSL (a certificate of
the client is asked for), SASL_SSL (SCRAM-SHA-512 and PLAIN) and SASL_PLAINTEXT
(SCRAM-SHA-512)."""

import os
import subprocess

from cluster import HOST, Kafka, free_port

SASL = "SASL_SSL", "SASL_PLAINTEXT"
DAYS = "2"


class Certificates:
    """Two authorities, of which the broker knows the first; who is signed by which is
    a folder's file NAME.pem (key and certificate), NAME.key, NAME.crt."""

    def __init__(self, folder):
        self.folder = folder
        os.mkdir(folder)
        for authority in "ca", "stranger":
            self._openssl("req", "-x509", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc",
                          "-subj", "/CN=" + authority, "-days", DAYS, "-keyout", authority + ".key",
                          "-out", authority + ".crt")

    def path(self, name):
        return os.path.join(self.folder, name)

    def sign(self, name, password=None, authority="ca"):
        """A key and a certificate for NAME at HOST; the key is locked with PASSWORD."""
        lock = ["-aes256", "-pass", "pass:" + password] if password else []
        self._openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", *lock,
                      "-out", name + ".key")
        with open(self.path(name + ".ext"), "w") as out:
            out.write("subjectAltName=IP:%s\n" % HOST)
        unlock = ["-passin", "pass:" + password] if password else []
        self._openssl("req", "-new", "-key", name + ".key", *unlock, "-subj", "/CN=" + name, "-out", name + ".csr")
        self._openssl("x509", "-req", "-in", name + ".csr", "-CA", authority + ".crt", "-CAkey", authority + ".key",
                      "-CAcreateserial", "-days", DAYS, "-extfile", name + ".ext", "-out", name + ".crt")
        with open(self.path(name + ".pem"), "w") as out:
            for part in name + ".key", name + ".crt":
                with open(self.path(part)) as source:
                    out.write(source.read())

    def _openssl(self, *arguments):
        done = subprocess.run(["openssl", *arguments], cwd=self.folder, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            raise RuntimeError("openssl %s:\n%s" % (" ".join(arguments), done.stdout))


class Secure(Kafka):
    """USERS is {name: password}. The address of each other door is in `doors`."""

    def __init__(self, folder, certificates, users, name="secure"):
        certificates.sign("broker")
        super().__init__(name, folder, {})
        self.users = users
        self.doors = {kind: "%s:%d" % (HOST, free_port()) for kind in ("SSL", *SASL)}
        doors = ",".join("%s://%s" % door for door in (("PLAINTEXT", self.address), *self.doors.items()))
        with open(self.properties) as source:  # What comes last wins.
            control = next(line.rpartition(",")[2].strip() for line in source if line.startswith("listeners="))
        module = "org.apache.kafka.common.security.%sLoginModule required"
        plain = module % "plain.Plain" + "".join(' user_%s="%s"' % user for user in users.items()) + ";"
        with open(self.properties, "a") as out:
            for row in {
                "listeners": "%s,%s" % (doors, control),
                "advertised.listeners": doors,
                "listener.security.protocol.map": ",".join(
                    "%s:%s" % (kind, kind) for kind in ("PLAINTEXT", *self.doors)) + ",CONTROLLER:PLAINTEXT",
                "inter.broker.listener.name": "PLAINTEXT",
                "ssl.keystore.type": "PEM",
                "ssl.keystore.location": certificates.path("broker.pem"),
                "ssl.truststore.type": "PEM",
                "ssl.truststore.location": certificates.path("ca.crt"),
                "listener.name.ssl.ssl.client.auth": "required",
                "sasl.enabled.mechanisms": "SCRAM-SHA-512",
                "listener.name.sasl_ssl.sasl.enabled.mechanisms": "SCRAM-SHA-512,PLAIN",
                "listener.name.sasl_ssl.plain.sasl.jaas.config": plain,
                **{"listener.name.%s.scram-sha-512.sasl.jaas.config" % kind.lower(): module % "scram.Scram" + ";"
                   for kind in SASL},
            }.items():
                out.write("%s=%s\n" % row)

    def format_arguments(self):
        return [word for user in self.users.items()
                for word in ("--add-scram", "SCRAM-SHA-512=[name=%s,password=%s]" % user)]
