# syntax=docker/dockerfile:1
# No automated check builds this file or runs its image: the tests run the program itself. Whoever changes the
# toolchain, a build script or the folders below builds the image once by hand.

FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY Cargo.toml Cargo.lock LICENSE ./
COPY .cargo .cargo
COPY crates crates
COPY tests tests
COPY config config
COPY web web
# The page is embedded; nothing but Rust and a C compiler is needed.
RUN cargo build --release --locked --package diemcau

FROM debian:bookworm-slim
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin diemcau \
    && install --directory --owner=diemcau --group=diemcau --mode=0700 /data
COPY --from=build /src/target/release/diemcau /usr/local/bin/diemcau
COPY LICENSE /usr/share/doc/diemcau/LICENSE
USER diemcau
VOLUME /data
# Pages and control by HTTPS; picture and sound.
EXPOSE 8443/tcp 7881/udp 7881/tcp
# Whether the port is taken, without curl: bash opens it. /healthz says more (journal, room tasks) to whoever can speak TLS.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8443"]
ENTRYPOINT ["diemcau"]
CMD ["serve", "--lan", "--data", "/data", "--listen", "0.0.0.0:8443", "--media-port", "7881"]
